# Session.pm   a psql that stays, for tests of several sessions at the same time;
# the majors' own helpers for this differ.
package Session;

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Utils;

my $marks = 0;

# Session->new($node [, user => ...] [, dbname => ...])
sub new
{
	my ($class, $node, %options) = @_;
	my $self = bless { in => '', out => '', err => '', notifications => [] }, $class;

	$self->{run} = IPC::Run::start(
		[ 'psql', '-XqAt', '-d', $node->connstr($options{dbname} // 'postgres') . (defined $options{user} ? " user=$options{user}" : '') ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $self;
}

# Sends a command without waiting for what becomes of it.
sub begin
{
	my ($self, $sql) = @_;

	$self->{mark} = 'mark ' . ++$marks;
	$self->{out} = $self->{err} = '';
	$self->{in} .= "$sql;\n\\echo $self->{mark}\n\\warn $self->{mark}\n";
	$self->{run}->pump_nb;
	return;
}

# What it printed, errors included, but for notifications.
sub end
{
	my ($self) = @_;
	my $mark = $self->{mark};
	my $text;

	$self->{run}->pump until $self->{out} =~ /^\Q$mark\E\n/m && $self->{err} =~ /^\Q$mark\E\n/m;
	$text = $self->{out} . $self->{err};
	$text =~ s/^\Q$mark\E\n//mg;
	push @{ $self->{notifications} }, "$1 $2"
	  while $text =~ s/^Asynchronous notification "([^"]*)" with payload "(.*)" received from server process with PID \d+\.\n//m;
	chomp $text;
	return $text;
}

sub command
{
	my ($self, $sql) = @_;

	$self->begin($sql);
	return $self->end;
}

# The notifications ("channel payload") that have come since the last time.
sub notifications
{
	my ($self) = @_;
	my @notifications;

	# psql tells of them after a command
	$self->command('SELECT 1');
	@notifications = @{ $self->{notifications} };
	$self->{notifications} = [];
	return @notifications;
}

sub finish
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	eval { $self->{run}->finish };
	return;
}

1;
