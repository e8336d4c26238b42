/* incidence: a mergeable summary of when leads reach an outcome */
