# sql/report/docs.awk   writes the part of docs/reports.md that has a section for each
# view, from the comments at the top of the files of this folder ("make docs/reports.md").
# The examples are here; the tests of the documentation run them.

BEGIN {
	example["campaign_results"] = "SELECT campaign_key, sum(leads) AS leads, sum(won) AS won FROM reports.campaign_results WHERE is_settled GROUP BY campaign_key ORDER BY won DESC;"
	example["campaign_reviews"] = "SELECT campaign_key, team, verdict, next_step FROM reports.campaign_reviews WHERE is_latest ORDER BY campaign_key, team;"
	example["channel_results"] = "SELECT month, channel, leads, cost, cpl FROM reports.channel_results ORDER BY month, channel;"
	example["conformance"] = "SELECT week, rule, team, entries, moves, share FROM reports.conformance ORDER BY week DESC, entries DESC;"
	example["coverage"] = "SELECT metric, period, goal, remaining, open_amount, round(coverage::numeric, 1) AS coverage FROM reports.coverage;"
	example["duties"] = "SELECT stage, team, needs, sla, due_text, next_stage FROM reports.duties ORDER BY stage_order, sla;"
	example["feedback"] = "SELECT campaign_name, result, reason, sum(n) AS n FROM reports.feedback WHERE moment = 'handoff' GROUP BY campaign_name, result, reason ORDER BY n DESC;"
	example["funnel"] = "SELECT stage, reached, dropped, still_open, round(step_rate::numeric, 3) AS step_rate FROM reports.funnel ORDER BY step;"
	example["funnel_by_channel"] = "SELECT channel, stage, reached FROM reports.funnel_by_channel ORDER BY channel, step;"
	example["funnel_by_month"] = "SELECT month, leads, matured_rate, matured_rate_lower, matured_rate_upper FROM reports.funnel_by_month WHERE stage = 'customer' AND is_settled ORDER BY month;"
	example["handoff_facts"] = "SELECT outcome, reason, count(*) FROM reports.handoff_facts WHERE is_first GROUP BY outcome, reason ORDER BY count DESC;"
	example["handoffs_by_week"] = "SELECT week, handoff, submitted, accepted, rejected, pending, acceptance_rate FROM reports.handoffs_by_week ORDER BY week DESC;"
	example["handover"] = "SELECT row_key, handoff, submitted_at, due_at, needs_missing, last_reject_reason FROM reports.handover ORDER BY due_at;"
	example["lead_facts"] = "SELECT lead_source, count(*) AS leads, count(won_at) AS won FROM reports.lead_facts WHERE NOT is_late GROUP BY lead_source;"
	example["lead_time"] = "SELECT month, n, median_seconds / 86400.0 AS days FROM reports.lead_time WHERE leg = 'entry to won' AND is_complete ORDER BY month;"
	example["pipeline"] = "SELECT stage, leads, amount, won_share, expected_low, expected_high FROM reports.pipeline ORDER BY stage_order;"
	example["pipeline_by_week"] = "SELECT week, stage, leads, amount FROM reports.pipeline_by_week ORDER BY week, stage_order;"
	example["pipeline_movement"] = "SELECT week, step, leads, amount FROM reports.pipeline_movement ORDER BY week DESC, step_order;"
	example["promises"] = "SELECT sla, team, rate_week, rate_before4, overdue_now FROM reports.promises ORDER BY overdue_now DESC;"
	example["report_settings"] = "SELECT * FROM reports.report_settings;"
	example["required"] = "SELECT metric, gap, stage, needed, needed_in_time FROM reports.required ORDER BY target_no, stage_order;"
	example["scorecard"] = "SELECT teams, metric, goal, actual, goal_today, expected_end, status FROM reports.scorecard WHERE current_date BETWEEN period_start AND period_end ORDER BY target_no;"
	example["sla_by_week"] = "SELECT week, sla, met, missed, compliance FROM reports.sla_by_week ORDER BY week DESC, sla;"
	example["sla_facts"] = "SELECT assignee_at_due, sum(is_met) AS met, sum(is_missed) AS missed FROM reports.sla_facts WHERE due_at <= now() GROUP BY assignee_at_due;"
	example["sla_now"] = "SELECT row_key, sla, assignee_at_due, due_at, overrun_seconds FROM reports.sla_now ORDER BY due_at;"
	example["stage_facts"] = "SELECT next_stage, count(*) FROM reports.stage_facts WHERE stage = 'mql' AND NOT is_current GROUP BY next_stage;"
	example["stuck"] = "SELECT row_key, stage, assignee, age_working_seconds / 3600 AS hours, limit_basis FROM reports.stuck ORDER BY age_working_seconds DESC;"
	example["target_by_day"] = "SELECT on_date, actual_to_date, goal_to_date, gap FROM reports.target_by_day WHERE period = 'month' AND target_no = 1 ORDER BY on_date;"
	example["time_in_stage"] = "SELECT month, stage, n, median_working_seconds, open_at_end FROM reports.time_in_stage WHERE is_complete ORDER BY month, stage_order;"
	example["touch_facts"] = "SELECT channel, sum(won_amount_linear) AS amount FROM reports.touch_facts GROUP BY channel ORDER BY amount DESC;"
	example["unassigned"] = "SELECT row_key, team, stage, unassigned_since, next_due_at FROM reports.unassigned ORDER BY unassigned_since;"
	example["won_by_segment"] = "SELECT month, segment, sum(won) AS won FROM reports.won_by_segment GROUP BY month, segment ORDER BY month, segment;"
	example["workload"] = "SELECT assignee, in_hand_end, clear_days, load FROM reports.workload WHERE week = date_trunc('week', now())::date ORDER BY load DESC;"
	print "\n## The views"
}

# Prints words, in lines of at most 100 characters.
function print_wrapped(text,	words, n, i, line)
{
	n = split(text, words, " ")
	line = words[1]
	for (i = 2; i <= n; i++)
	{
		if (length(line) + length(words[i]) >= 100)
		{
			print line
			line = words[i]
		}
		else
			line = line " " words[i]
	}
	print line
}

function finish_comment(	question)
{
	question = ""
	if (match(comment, /Answers: .*$/))
	{
		question = substr(comment, RSTART + 9)
		comment = substr(comment, 1, RSTART - 2)
	}
	if (question == "" || example[name] == "")
	{
		print FILENAME ": no question (\"Answers: ...\") or no example in docs.awk" >"/dev/stderr"
		exit 1
	}
	print "*" toupper(substr(question, 1, 1)) substr(question, 2) "*\n"
	print_wrapped(comment)
	print "\n```sql\n" example[name] "\n```"
	print "\n| column | |\n|---|---|"
}

function finish_column()
{
	if (row != "")
		print row " |"
	if (per_lead && column == "row_key")
		print "| the key columns | the key of the lead, as the table has it |"
	row = column = ""
}

FNR == 1 {
	name = $2
	printf "\n### `%s`\n\n", name
	per_lead = /per lead$/
	comment = ""
	place = "comment"
	next
}

place == "comment" && $0 == "--" {
	finish_comment()
	place = "columns"
	next
}

place == "comment" {
	sub(/^-- /, "")
	comment = comment (comment == "" ? "" : " ") $0
	next
}

place == "columns" && /^-- [a-z_0-9]+: / {
	finish_column()
	column = $2
	sub(/:$/, "", column)
	sub(/^-- [a-z_0-9]+: /, "")
	gsub(/\|/, "\\|")
	row = "| `" column "` | " $0
	next
}

place == "columns" && /^--   / {
	sub(/^--   */, "")
	gsub(/\|/, "\\|")
	row = row " " $0
	next
}

place == "columns" {
	finish_column()
	place = "query"
}
