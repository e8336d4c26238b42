\echo Use "CREATE EXTENSION align" to load this file. \quit
