/* paths: a mergeable summary of the channels that leads came by */
