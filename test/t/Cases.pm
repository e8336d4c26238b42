# Cases.pm   what the tests on cases restated from other projects' test suites
# share: finding them, and saying them in align's words.
package Cases;

use strict;
use warnings;

use Exporter 'import';
use FindBin;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(need_cases case_file read_cases calendar_text sla_agreement stage_after);

my $folder = ($ENV{ALIGN_SHARED} // "$FindBin::RealBin/../../../shared") . '/cases';

# Skip unless the file is there: it is beside the checkout, never in it.
sub need_cases
{
	my ($name) = @_;

	plan skip_all => "no cases at $folder" unless -r "$folder/$name";
	return;
}

sub case_file
{
	my ($name) = @_;
	return slurp_file("$folder/$name");
}

sub read_cases
{
	my ($name) = @_;
	return decode_json(case_file($name));
}

# A span that ends after 24:00 ends on the next day.
sub span
{
	my ($from, $to) = @{ $_[0] };

	$to =~ s/^(\d+)/sprintf '%02d', $1 - 24/e if $to gt '24:00';
	return "$from-$to";
}

# Weekday spans and holidays, in the words of the calendar type.
sub calendar_text
{
	my ($calendar) = @_;
	my @rules;

	foreach my $day (qw(mon tue wed thu fri sat sun))
	{
		my @spans = map { span($_) } @{ $calendar->{week}{$day} // [] };
		push @rules, ucfirst(substr($day, 0, 2)) . ' ' . join(',', @spans) if @spans;
	}
	push @rules, map { "$_ off" } @{ $calendar->{holidays} };
	return "$calendar->{tz} " . join('; ', @rules);
}

# sla.json: a case's promise as an agreement, and the stage that follows an event.
sub sla_agreement
{
	my ($hours, $case) = @_;
	my $minutes = $case->{target_s} / 60;

	return "hours '$hours'; stage working held by support; stage waiting; won done; "
	  . 'success path working -> done; path working -> waiting -> working; path waiting -> done; '
	  . "sla resolution by support: from working to done within $minutes working minutes, pause waiting;";
}

sub stage_after
{
	my ($event) = @_;
	return { start => 'working', pause => 'waiting', resume => 'working', stop => 'done' }->{$event};
}

1;
