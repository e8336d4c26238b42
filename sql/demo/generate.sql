-- generate.sql   two years of a company that does not exist.
--
-- Creates demo.event, one row per change of stage or campaign touch, as a CRM's
-- history table has it.  Everything is drawn from random() after setseed(), one
-- lead after the other: the same seed gives the same company, on every version.
--
-- What is in it, to be found again by the story: six channels of different
-- quality; sales answering in working hours, mostly at once and sometimes much
-- too late; leads that are sent back to be nurtured and return; rejections with
-- reasons, some forgotten and some that nobody agreed on; stages skipped; an old
-- CRM that called a stage by another name; and leads that are still under way.

CREATE SCHEMA demo;

CREATE TABLE demo.event (
	lead     text NOT NULL,
	at       timestamptz NOT NULL,
	stage    text,           -- null: a campaign touch
	team     text,           -- who made the change
	reason   text,
	campaign text,
	amount   numeric
);

CREATE TABLE demo.channel (
	channel   text PRIMARY KEY,
	campaign  text NOT NULL,
	share     float8 NOT NULL,   -- of all leads
	qualifies float8 NOT NULL,   -- inquiry to mql
	accepted  float8 NOT NULL,   -- mql to sal
	wins      float8 NOT NULL,   -- opportunity to customer
	amount    float8 NOT NULL    -- median deal
);

INSERT INTO demo.channel VALUES
	('organic search', 'utm_source=google&utm_medium=organic',                       0.27, 0.50, 0.72, 0.36,  9000),
	('paid search',    'utm_source=google&utm_medium=cpc&utm_campaign=brand',        0.22, 0.46, 0.64, 0.30,  8000),
	('paid social',    'utm_source=linkedin&utm_medium=paid_social&utm_campaign=ebook', 0.20, 0.30, 0.38, 0.18,  7000),
	('webinar',        'utm_source=newsletter&utm_medium=email&utm_campaign=webinar',   0.14, 0.62, 0.58, 0.27, 11000),
	('trade show',     'utm_source=expo&utm_medium=event',                           0.09, 0.55, 0.47, 0.24, 15000),
	('referral',       'utm_source=partner&utm_medium=referral',                     0.08, 0.75, 0.88, 0.52, 13000);

-- A duration whose logarithm is normally distributed: most are near the median,
-- a few very much longer.
CREATE FUNCTION demo.some_time(median interval, spread float8) RETURNS interval
VOLATILE LANGUAGE sql AS $$
	SELECT date_trunc('second', median * exp(spread * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())))
$$;

CREATE FUNCTION demo.one_of(choices text[]) RETURNS text
VOLATILE LANGUAGE sql AS $$
	SELECT choices[1 + floor(random() * cardinality(choices))::int]
$$;

CREATE FUNCTION demo.generate(leads int, from_day timestamptz, to_day timestamptz, seed float8)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	office   align.calendar := 'Europe/London Mo-Fr 09:00-17:30; Dec 25-26 off; Jan 01 off';
	old_crm  timestamptz := from_day + (to_day - from_day) * 0.35;
	lead_no  text;
	channel  demo.channel;
	pick     float8;
	at       timestamptz;
	stage    text;
	came     text;          -- the stage before
	mover    text;
	why      text;
	deal     numeric;
	fate     float8;
	rounds   int;           -- how often it was handed to sales
BEGIN
	PERFORM setseed(seed);
	FOR i IN 1 .. leads LOOP
		lead_no := 'L' || lpad(i::text, 5, '0');

		pick := random();
		FOR channel IN SELECT * FROM demo.channel c ORDER BY c.channel LOOP
			pick := pick - channel.share;
			EXIT WHEN pick < 0;
		END LOOP;

		-- The business grows; inquiries come at all hours, mostly by day.
		at := date_trunc('second', from_day + (to_day - from_day) * CASE WHEN random() < 0.5 THEN random() ELSE sqrt(random()) END);
		IF random() < 0.75 THEN
			at := date_trunc('day', at) + demo.some_time('11 hours', 0.25);
		END IF;

		INSERT INTO demo.event (lead, at, campaign) VALUES (lead_no, at - interval '1 minute', channel.campaign);
		WHILE random() < 0.3 LOOP
			INSERT INTO demo.event (lead, at, campaign)
			VALUES (lead_no, at - demo.some_time('9 days', 1), (SELECT c.campaign FROM demo.channel c ORDER BY c.channel OFFSET floor(random() * 6)::int LIMIT 1));
		END LOOP;

		-- Lists from webinars and fairs are marketing-qualified from the start.
		stage := CASE WHEN channel.channel IN ('webinar', 'trade show') AND random() < 0.4 THEN 'mql' ELSE 'inquiry' END;
		came := NULL;
		mover := 'marketing';
		why := NULL;
		deal := NULL;
		rounds := 0;

		LOOP
			EXIT WHEN at >= to_day;
			INSERT INTO demo.event (lead, at, stage, team, reason, campaign, amount)
			VALUES (lead_no, at,
					CASE WHEN stage = 'sal' AND at < old_crm THEN 'Sales Accepted' ELSE stage END,
					mover, why, CASE WHEN came IS NULL THEN channel.campaign END, deal);
			came := stage;
			why := NULL;
			fate := random();

			IF stage = 'inquiry' THEN
				mover := 'marketing';
				IF fate < 0.015 THEN
					stage := 'customer';
					deal := round((channel.amount * 0.1)::numeric, 2);
					at := at + demo.some_time('2 days', 1);
				ELSIF fate < 0.015 + channel.qualifies THEN
					stage := 'mql';
					at := at + demo.some_time('4 days', 1.1);
				ELSIF fate < 0.85 THEN
					stage := 'disqualified';
					at := at + demo.some_time('6 days', 1.2);
				ELSE
					EXIT;       -- nobody ever looked at it again
				END IF;

			ELSIF stage = 'mql' THEN
				mover := 'sales';
				rounds := rounds + 1;
				EXIT WHEN random() < 0.02;  -- forgotten
				at := align.add_working_time(office, at,
					CASE WHEN random() < 0.78 THEN demo.some_time('75 minutes', 0.8) ELSE demo.some_time('9 hours', 1.0) END);
				IF fate < channel.accepted THEN
					stage := CASE WHEN random() < 0.96 THEN 'sal' ELSE 'sql' END;
				ELSE
					IF random() < 0.45 THEN
						stage := 'nurture';
						why := demo.one_of('{bad_timing,bad_timing,no_budget,no_interest,content_unclear}');
					ELSE
						stage := 'disqualified';
						why := demo.one_of('{poor_fit,poor_fit,unreachable,no_interest,no_budget}');
					END IF;
					-- Paid social brings people who wanted the e-book only.
					IF channel.channel = 'paid social' AND random() < 0.5 THEN
						why := 'content_unclear';
					END IF;
					IF random() < 0.08 THEN
						why := NULL;
					ELSIF random() < 0.05 THEN
						why := 'other';
					END IF;
				END IF;

			ELSIF stage = 'sal' THEN
				mover := 'sales';
				at := align.add_working_time(office, at, demo.some_time('15 hours', 1.0));
				IF fate < 0.66 THEN
					stage := 'sql';
				ELSIF fate < 0.78 THEN
					stage := 'nurture';
				ELSIF fate < 0.97 THEN
					stage := 'disqualified';
					why := demo.one_of('{poor_fit,no_budget,unreachable}');
				ELSE
					EXIT;
				END IF;

			ELSIF stage = 'sql' THEN
				mover := 'sales';
				at := align.add_working_time(office, at, demo.some_time('8 hours', 0.9));
				IF fate < 0.70 THEN
					stage := 'opportunity';
					deal := round((channel.amount * exp(0.6 * (random() + random() + random() - 1.5)))::numeric, 2);
				ELSIF fate < 0.78 THEN
					stage := 'nurture';
				ELSE
					stage := 'disqualified';
					why := demo.one_of('{no_budget,poor_fit,no_interest}');
				END IF;

			ELSIF stage = 'opportunity' THEN
				mover := 'sales';
				at := align.add_working_time(office, at, demo.some_time('120 hours', 0.7));
				IF fate < channel.wins THEN
					stage := 'customer';
				ELSIF fate < channel.wins + 0.03 THEN
					stage := 'sql';     -- back one step, which nobody agreed on
				ELSIF fate < channel.wins + 0.12 THEN
					stage := 'nurture';
				ELSE
					stage := 'disqualified';
					why := demo.one_of('{price,price,competitor,no_decision}');
					IF random() < 0.1 THEN
						why := NULL;
					END IF;
				END IF;

			ELSIF stage = 'nurture' THEN
				EXIT WHEN rounds >= 3 OR fate >= 0.35;
				mover := 'marketing';
				stage := 'mql';
				at := at + demo.some_time('45 days', 0.6);
				INSERT INTO demo.event (lead, at, campaign)
				SELECT lead_no, at - interval '2 hours', 'utm_source=newsletter&utm_medium=email&utm_campaign=nurture'
				WHERE at < to_day;

			ELSE
				EXIT;           -- customer, disqualified
			END IF;
		END LOOP;
	END LOOP;
END
$$;

\if :{?leads}
\else
\set leads 20000
\endif
SELECT demo.generate(:leads, '2024-05-27 00:00+00', '2026-05-26 16:30+00', 0.2026) \g /dev/null

-- The day on which the story is told.
CREATE TABLE demo.today AS SELECT timestamptz '2026-05-26 16:30+00' AS as_of;

ANALYZE demo.event;
