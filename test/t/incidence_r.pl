# Incidences against R's package survival (Debian: r-cran-survival), where it is
# installed: random cases with many ties, and its data set mgus2.
#
# INCIDENCE_CASES is the number of cases of each data set, SEED another seed.
#
# What R has no function for is written out in R: Greenwood's variance with late
# entries and competing outcomes.  (R's jackknife needs to know which late entry
# belongs to which end, and differs a little; how much is tested.)
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $cases = $ENV{INCIDENCE_CASES} // 4000;
my $seed = $ENV{SEED} // 20261129;

plan skip_all => 'R\'s package survival is not installed (Debian: r-cran-survival)'
  if system(q{Rscript -e 'suppressWarnings(library(survival))' >/dev/null 2>&1}) != 0;
note("$cases cases, seed $seed");

my $node = PostgreSQL::Test::Cluster->new('incidence_r');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off\njit = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION align');

my $folder = $PostgreSQL::Test::Utils::tmp_check;

sub write_file
{
	my ($name, $text) = @_;

	open my $out, '>', "$folder/$name" or die "could not write $name: $!";
	print $out $text;
	close $out;
	return;
}

# R makes the cases, and answers about them.
write_file('oracle.R', <<"R");
suppressWarnings(library(survival))
set.seed($seed)
n <- $cases
folder <- '$folder'
cases <- NULL; curves <- NULL; quantiles <- NULL; tests <- NULL
R
write_file('oracle2.R', <<'R');
add <- function(set, d) cases <<- rbind(cases, data.frame(set = set, grp = d$grp, entered = d$entered, left_after = d$left, outcome = d$outcome))
# F, its standard error, and the number at risk
curve <- function(set, outcome, bounds, at, n, f, se, lower, upper)
	curves <<- rbind(curves, data.frame(set = set, outcome = outcome, bounds = bounds, at = at, n = n, f = f, se = se, lower = lower, upper = upper))

# one outcome: ties, and cases that leave at once; then with late entries
one <- data.frame(grp = sample(1:4, n, TRUE, c(.4, .3, .2, .1)), entered = 0)
one$left <- pmin(floor(rexp(n, 1 / (20 + 5 * one$grp))), 100)
one$outcome <- ifelse(runif(n) < .65 & one$left < 100, 'won', NA)
late <- one
late$entered <- ifelse(runif(n) < .5, floor(runif(n) * 15), 0)
late$entered <- ifelse(late$entered < late$left, late$entered, 0)
late$left[late$left == 0] <- 1
add('one', one); add('late', late)
for (set in c('one', 'late')) for (bounds in c('plain', 'log', 'log-log')) {
	d <- get(set)
	y <- if (set == 'one') Surv(d$left, !is.na(d$outcome)) else Surv(d$entered, d$left, !is.na(d$outcome))
	s <- survfit(y ~ 1, conf.type = bounds)
	# no probability has bounds at 0 and 1
	ok <- s$surv > 0 & s$surv < 1
	curve(set, 'won', bounds, s$time[ok], s$n.risk[ok], 1 - s$surv[ok], (s$surv * s$std.err)[ok], 1 - s$upper[ok], 1 - s$lower[ok])
	for (p in c(.1, .25, .5, .75)) {
		# the first time, not the middle of a flat part
		first <- function(curve) { i <- which(curve <= 1 - p + 1e-9); if (length(i)) s$time[min(i)] else NA }
		quantiles <<- rbind(quantiles, data.frame(set = set, bounds = bounds, p = p, at = first(s$surv), lower = first(s$lower), upper = first(s$upper)))
	}
}

# Greenwood's variance of F for one of several outcomes, straight from the formula
greenwood <- function(d, outcome) {
	times <- sort(unique(d$left))
	n <- sapply(times, function(t) sum(d$entered < t & d$left >= t))
	h1 <- sapply(times, function(t) sum(d$left == t & !is.na(d$outcome) & d$outcome == outcome)) / n
	h <- sapply(times, function(t) sum(d$left == t & !is.na(d$outcome))) / n
	s <- cumprod(1 - h); before <- c(1, s[-length(s)])
	f <- cumsum(before * h1)
	v <- sapply(seq_along(times), function(i) {
		u <- 1:i
		b <- ifelse(h[u] < 1, (f[i] - f[u]) / (1 - h[u]), 0)
		sum((before[u]^2 * h1[u] * (1 - h1[u]) + b^2 * h[u] * (1 - h[u]) - 2 * before[u] * b * h1[u] * (1 - h[u])) / n[u])
	})
	data.frame(time = times, n = n, f = f, se = sqrt(pmax(v, 0)))
}

# several outcomes, in states
many <- data.frame(grp = sample(1:3, n, TRUE), entered = 0)
many$left <- pmin(1 + floor(rexp(n, 1 / 30)), 120)
many$outcome <- sample(c('won', 'lost', 'gone', NA), n, TRUE, c(.25, .4, .1, .25))
many$outcome[many$left == 120] <- NA
# many cases from the start: few at risk make a large difference
manylate <- many
manylate$entered <- ifelse(runif(n) < .3, floor(runif(n) * 20), 0)
manylate$entered <- ifelse(manylate$entered < manylate$left, manylate$entered, 0)
add('many', many); add('manylate', manylate)
jackknife <- 0
for (set in c('many', 'manylate')) {
	d <- get(set)
	d$state <- factor(ifelse(is.na(d$outcome), 'open', d$outcome), c('open', 'won', 'lost', 'gone'))
	d$id <- seq_len(n)
	s <- if (set == 'many') survfit(Surv(left, state) ~ 1, d, id = id) else survfit(Surv(entered, left, state) ~ 1, d, id = id)
	for (outcome in c('won', 'lost', 'gone')) {
		j <- which(s$states == outcome)
		g <- greenwood(d, outcome)
		at <- s$time %in% g$time
		stopifnot(all.equal(s$pstate[at, j], g$f), all(s$n.risk[at, 1] == g$n))
		if (set == 'many') stopifnot(all.equal(s$std.err[at, j], g$se))
		else jackknife <- max(jackknife, abs(s$std.err[at, j] / g$se - 1)[g$se > 0])
		curve(set, outcome, 'none', g$time, g$n, s$pstate[at, j], if (set == 'many') s$std.err[at, j] else g$se, NA, NA)
	}
}

# mgus2: progression and death, and progression with deaths as censored
m <- with(mgus2, data.frame(grp = ifelse(sex == 'F', 1, 2), entered = 0, left = ifelse(pstat == 0, futime, ptime),
	outcome = ifelse(pstat == 1, 'pcm', ifelse(death == 1, 'death', NA))))
add('mgus2', m)
s <- survfit(Surv(m$left, factor(ifelse(is.na(m$outcome), 'open', m$outcome), c('open', 'pcm', 'death'))) ~ 1)
for (outcome in c('pcm', 'death')) {
	j <- which(s$states == outcome)
	curve('mgus2', outcome, 'none', s$time, s$n.risk[, 1], s$pstate[, j], s$std.err[, j], NA, NA)
}

# log-rank tests of two to four groups, and with late entries the score test of
# Cox's model with exact ties, which is the same test
test <- function(set, groups, rho, chi2, df) tests <<- rbind(tests, data.frame(set = set, groups = groups, rho = rho, chi2 = chi2, df = df, p = pchisq(chi2, df, lower.tail = FALSE)))
for (groups in 2:4) for (rho in c(0, 1, .5)) {
	d <- one[one$grp <= groups, ]
	t <- survdiff(Surv(left, !is.na(outcome)) ~ grp, d, rho = rho)
	test('one', groups, rho, t$chisq, groups - 1)
}
few <- late[1:60, ]
few$left <- few$left + (seq_len(60) %% 5) / 5
add('few', few)
for (groups in 2:4) {
	d <- few[few$grp <= groups, ]
	t <- coxph(Surv(entered, left, !is.na(outcome)) ~ factor(grp), d, ties = 'exact')
	test('few', groups, 0, t$score, groups - 1)
	# many cases straight from the formula: Cox's exact form is too slow for them
	d <- late[late$grp <= groups, ]
	o <- e <- rep(0, groups); v <- matrix(0, groups, groups)
	for (t in sort(unique(d$left[!is.na(d$outcome)]))) {
		n <- sapply(1:groups, function(g) sum(d$grp == g & d$entered < t & d$left >= t))
		x <- sapply(1:groups, function(g) sum(d$grp == g & d$left == t & !is.na(d$outcome)))
		o <- o + x; e <- e + sum(x) * n / sum(n)
		if (sum(n) > 1) v <- v + sum(x) * (sum(n) - sum(x)) / (sum(n) - 1) * (diag(n) / sum(n) - outer(n, n) / sum(n)^2)
	}
	k <- seq_len(groups - 1)
	test('late', groups, 0, drop(t(o[k] - e[k]) %*% solve(v[k, k]) %*% (o[k] - e[k])), groups - 1)
}

options(digits = 17)
for (name in c('cases', 'curves', 'quantiles', 'tests'))
	write.csv(format(get(name), digits = 17, trim = TRUE), file.path(folder, paste0(name, '.csv')), row.names = FALSE, quote = FALSE)
cat('jackknife', jackknife, '\n')
R
my $said = `cat '$folder/oracle.R' '$folder/oracle2.R' >'$folder/all.R' && Rscript '$folder/all.R' 2>&1`;
is($?, 0, 'R answers') or diag($said);
my ($jackknife) = $said =~ /^jackknife (\S+)/m;
cmp_ok($jackknife, '<', 0.01, "with late entries R's jackknife is within 1 % of Greenwood's standard error ($jackknife)");

$node->safe_psql('postgres', q{
	CREATE TABLE cases (set text, grp int, entered float8, left_after float8, outcome text);
	CREATE TABLE curves (set text, outcome text, bounds text, at float8, n int, f float8, se float8, lower float8, upper float8);
	CREATE TABLE quantiles (set text, bounds text, p float8, at float8, lower float8, upper float8);
	CREATE TABLE tests (set text, groups int, rho float8, chi2 float8, df int, p float8);
});
$node->safe_psql('postgres', "\\copy $_ from '$folder/$_.csv' with (format csv, header, null 'NA')")
  foreach qw(cases curves quantiles tests);
$node->safe_psql('postgres', q{
	CREATE FUNCTION is_near(a float8, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE
		RETURN a IS NOT DISTINCT FROM b OR coalesce(abs(a - b) <= 1e-9 * greatest(abs(a), abs(b), 1e-3), false);
	CREATE FUNCTION days(d float8) RETURNS interval LANGUAGE sql IMMUTABLE RETURN round(d * 86400) * interval '1 second';
	CREATE TABLE groups AS SELECT set, grp, align.incidence_agg(days(entered), days(left_after), outcome) AS i FROM cases GROUP BY set, grp;
	CREATE TABLE sets AS SELECT set, align.rollup(i) AS i FROM groups GROUP BY set;
});

# Every point of every curve.
is($node->safe_psql('postgres', q{
	SELECT c.set, c.outcome, c.bounds, count(*) > 50,
		count(*) FILTER (WHERE h.at_risk IS DISTINCT FROM c.n OR NOT is_near(h.probability, c.f) OR NOT is_near(h.std_error, c.se)
			OR c.bounds <> 'none' AND NOT (is_near(h.lower, c.lower) AND is_near(h.upper, c.upper)))
	FROM curves c JOIN sets s USING (set)
		LEFT JOIN LATERAL align.curve(s.i, c.outcome, 0.95, CASE c.bounds WHEN 'none' THEN 'log-log' ELSE c.bounds END) h ON h.after = days(c.at)
	GROUP BY c.set, c.outcome, c.bounds ORDER BY c.set, c.outcome, c.bounds}),
	join("\n", map { "$_|t|0" } 'late|won|log', 'late|won|log-log', 'late|won|plain', 'many|gone|none', 'many|lost|none', 'many|won|none',
		'manylate|gone|none', 'manylate|lost|none', 'manylate|won|none', 'mgus2|death|none', 'mgus2|pcm|none', 'one|won|log', 'one|won|log-log', 'one|won|plain'),
	'probability, standard error, bounds and number at risk at every time');
is($node->safe_psql('postgres', q{
	SELECT count(*) > 500, count(*) FILTER (WHERE NOT (is_near(h.rate, c.f) AND is_near(h.std_error, c.se) AND h.at_risk = c.n)) FROM (SELECT * FROM curves WHERE bounds IN ('none', 'log')) c JOIN sets s USING (set),
		align.happened_by(s.i, c.outcome, days(c.at)) h}), 't|0', 'happened_by() at these times');

# Quantiles with the bounds of Brookmeyer and Crowley.
is($node->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE q.after IS DISTINCT FROM days(r.at) OR q.lower IS DISTINCT FROM days(r.lower) OR q.upper IS DISTINCT FROM days(r.upper)),
		count(*) FILTER (WHERE p = 0.5 AND align.median(s.i, 'won') IS DISTINCT FROM days(r.at))
	FROM quantiles r JOIN sets s USING (set), align.quantile(s.i, 'won', r.p, 0.95, r.bounds) q}), '24|0|0', 'quantiles and the median');

# Tests.
is($node->safe_psql('postgres', q{
	SELECT t.set, count(*), count(*) FILTER (WHERE NOT (is_near(l.chi2, t.chi2) AND l.df = t.df AND is_near(l.p, t.p)))
	FROM tests t, LATERAL (SELECT array_agg(g.i ORDER BY g.grp) AS groups FROM groups g WHERE g.set = t.set AND g.grp <= t.groups) g,
		align.weighted_log_rank(t.rho, VARIADIC g.groups) l
	GROUP BY t.set ORDER BY t.set}), "few|3|0\nlate|3|0\none|9|0", 'log-rank tests');
is($node->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE NOT (is_near(l.chi2, t.chi2) AND l.df = t.df AND is_near(l.p, t.p)))
	FROM tests t, LATERAL (SELECT array_agg(g.i ORDER BY g.grp) AS groups FROM groups g WHERE g.set = t.set AND g.grp <= t.groups) g, align.log_rank(VARIADIC g.groups) l
	WHERE t.rho = 0}), '9|0', 'log_rank() is the one without weights');

# What is published about mgus2.
is($node->safe_psql('postgres', q{SELECT string_agg(coalesce(outcome, 'open') || ' ' || cases, ', ') FROM sets, align.outcomes(i) WHERE set = 'mgus2'}),
	'death 860, pcm 115, open 409', 'the cases of mgus2');
is($node->safe_psql('postgres', q{
	SELECT m, round(a.rate::numeric, 8), round(k.rate::numeric, 8)
	FROM (SELECT align.incidence_agg(days(left_after), outcome) AS a, align.incidence_agg(days(left_after), nullif(outcome, 'death')) AS k FROM cases WHERE set = 'mgus2') i,
		(VALUES (60), (120), (240)) v(m), align.happened_by(a, 'pcm', days(m)) a, align.happened_by(k, 'pcm', days(m)) k ORDER BY m}),
	"60|0.03410371|0.04215386\n120|0.06372217|0.09522166\n240|0.09981372|0.20956162", 'mgus2: cumulative incidence, and 1 - KM');

$node->stop;
done_testing();
