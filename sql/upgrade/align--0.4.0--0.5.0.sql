\echo Use "ALTER EXTENSION align UPDATE TO '0.5.0'" to load this file. \quit

-- Comments that are new or read otherwise ("make delta").
