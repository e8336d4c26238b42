-- load_begin.sql   a table for what CSV files say, as text and in their order.
CREATE SCHEMA demo;
CREATE TABLE demo.csv (
	line bigint GENERATED ALWAYS AS IDENTITY,
	file text,
	lead text, at text, stage text, team text, reason text, campaign text, amount text
);
