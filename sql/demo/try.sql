-- try.sql   more questions for the demo's database.

-- One lead's journey, as text and as rows.
SELECT journey FROM demo.journey ORDER BY lead LIMIT 1;
SELECT e.* FROM (SELECT journey FROM demo.journey ORDER BY lead LIMIT 1) j, align.entries(journey) e;

-- What is wrong with it?
SELECT lead, v.* FROM demo.journey, demo.signed, align.violations(journey, agreement) v ORDER BY lead LIMIT 10;

-- Where do leads go from each stage?
SELECT from_stage, stage, count(*) FROM demo.journey, align.transitions(journey) GROUP BY 1, 2 ORDER BY 1, 3 DESC;

-- How does a lead get from the entry to the end?
SELECT align.route(agreement, (SELECT stage FROM align.stages(agreement) WHERE is_entry LIMIT 1),
				   (SELECT stage FROM align.stages(agreement) WHERE kind = 'won' LIMIT 1)) FROM demo.signed;
