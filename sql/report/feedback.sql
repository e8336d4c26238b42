-- feedback
-- One row per month, campaign, moment, handoff, result and reason: what became of the leads of a campaign, and why. Key: row_key. The moment handoff counts submissions, by the month in which they were submitted, at their decisive campaign; the moment close counts leads, by the month of their last entry into a won or lost stage, at their decisive campaign. Both count the same leads: do not add them up. n adds up over all columns, leads does not add up over reasons and results. share is of those that are decided: young months change until all are. Answers: what became of the leads of a campaign, and why?
--
-- row_key: all columns of the key as text; unique
-- month: first day of the local month
-- month_start_at: its first instant
-- campaign_key: source, medium and name of the decisive campaign as text; (none) without a touch, (not submitted) for a lead that was closed before it was submitted
-- campaign_name: name of the campaign; (none) if it has none
-- channel: its channel; (none), or (not submitted), as campaign_key
-- moment: handoff or close
-- handoff: the handoff; (none) in the moment close
-- result: accepted, rejected, withdrawn, gone or pending; in the moment close won or lost
-- reason: reason of the entry that decided; (none) if none was given
-- n: submissions, or leads in the moment close
-- leads: leads with such a submission, each once
-- first_n: of n, those that are the first of their lead to this handoff
-- share: first_n / sum of first_n over all reasons of accepted and rejected (won and lost) of the month, campaign, moment and handoff; NULL for what is not decided
-- share_lower: lower bound of share, Wilson 95 %
-- share_upper: upper bound of share, Wilson 95 %
-- is_complete: whether the record is complete for this month

WITH
    in_force AS MATERIALIZED (
        SELECT f.funnel, EXISTS (SELECT FROM align.handoffs(f.funnel)) AS has_handoffs
        FROM ({part:funnel}) AS f
    ),
    handoffs AS MATERIALIZED (
        SELECT {key:h}, h.decisive_campaign AS campaign, h.handoff, h.outcome AS result, h.reason,
            date_trunc('month', h.submitted_on::timestamp)::date AS month,
            h.is_first, h.submitted_at, h.entry_no
        FROM {handoff_facts} AS h
    ),
    closed AS (
        SELECT DISTINCT ON ({key:e}) {key:e},
            date_trunc('month', timezone({zone}, e.at))::date AS month,
            e.stage_kind AS result, coalesce(e.reason, '(none)') AS reason
        FROM ({part:entries}) AS e
        WHERE e.is_entry AND e.stage_kind IN ('won', 'lost')
        ORDER BY {key:e}, e.place DESC
    ),
    -- the decisive campaign of a lead is that of its first submission; only
    -- without handoffs it must be looked up
    decided AS (
        SELECT coalesce(s.campaign, '(not submitted)') AS campaign, c.month, c.result, c.reason
        FROM closed AS c
            LEFT JOIN (SELECT DISTINCT ON ({key:h}) {key:h}, h.campaign
                       FROM handoffs AS h
                       ORDER BY {key:h}, h.submitted_at, h.entry_no) AS s ON {key_join:s:c}
        WHERE (SELECT f.has_handoffs FROM in_force AS f)
        UNION ALL
        SELECT l.decisive_campaign, c.month, c.result, c.reason
        FROM closed AS c
            JOIN {lead_facts} AS l ON {key_join:l:c}
        WHERE NOT (SELECT f.has_handoffs FROM in_force AS f)
    ),
    by_text AS (
        SELECT h.campaign FROM handoffs AS h
        UNION
        SELECT d.campaign FROM decided AS d
    ),
    campaigns AS (
        {part:campaigns_of_texts}
    ),
    -- one row for each lead first, so that it counts once, also if its texts of
    -- one campaign differ
    counted AS (
        SELECT s.campaign_key, s.month, 'handoff' AS moment, s.handoff, s.result, s.reason,
            sum(s.n)::bigint AS n, count(*) AS leads, sum(s.first_n)::bigint AS first_n
        FROM (SELECT {key:h}, c.campaign_key, h.month, h.handoff, h.result, h.reason,
                  count(*) AS n, count(*) FILTER (WHERE h.is_first) AS first_n
              FROM handoffs AS h
                  JOIN campaigns AS c ON c.campaign = h.campaign
              GROUP BY {key:h}, c.campaign_key, h.month, h.handoff, h.result, h.reason) AS s
        GROUP BY s.campaign_key, s.month, s.handoff, s.result, s.reason
        UNION ALL
        SELECT c.campaign_key, d.month, 'close', '(none)', d.result, d.reason,
            count(*), count(*), count(*)
        FROM decided AS d
            JOIN campaigns AS c ON c.campaign = d.campaign
        GROUP BY c.campaign_key, d.month, d.result, d.reason
    ),
    shared AS (
        SELECT c.*,
            c.result IN ('accepted', 'rejected', 'won', 'lost') AS is_decided,
            (sum(c.first_n) FILTER (WHERE c.result IN ('accepted', 'rejected', 'won', 'lost'))
                OVER (PARTITION BY c.campaign_key, c.month, c.moment, c.handoff))::bigint AS decided
        FROM counted AS c
    )
SELECT ROW(to_char(s.month, 'YYYY-MM'), s.campaign_key, s.moment, s.handoff, s.result, s.reason)::text AS row_key,
    s.month,
    timezone({zone}, s.month::timestamp) AS month_start_at,
    s.campaign_key,
    k.campaign_name,
    k.channel,
    s.moment,
    s.handoff,
    s.result,
    s.reason,
    s.n,
    s.leads,
    s.first_n,
    w.rate AS share,
    w.lower AS share_lower,
    w.upper AS share_upper,
    timezone({zone}, s.month::timestamp) >= {complete_since} AS is_complete
FROM shared AS s
    JOIN ({part:campaign_parts}) AS k ON k.campaign_key = s.campaign_key
    CROSS JOIN LATERAL align.wilson(CASE WHEN s.is_decided THEN s.first_n END, nullif(s.decided, 0)) AS w
