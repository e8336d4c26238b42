\echo Use "ALTER EXTENSION align UPDATE TO '0.6.0'" to load this file. \quit

-- Comments that are new or read otherwise ("make delta").

/* funnels over the rows of an event table */
/* patterns of events over the rows of an event table */
/* incidence: a mergeable summary of when leads reach an outcome */
/* process: which stage follows which, how often and how fast */
/* paths: a mergeable summary of the channels that leads came by */
