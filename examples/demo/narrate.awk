# narrate.awk - turn a commented SQL file into a psql script that tells it as a story.
#
#   -- == Title ==          a heading
#   -- text                 prose
#   --?                     the statement below runs unseen: the demonstration checks itself
#   --.                     the result of the statement below is not shown, the statement is
#   \copy ...               shown and run
#   \set other `command`    a command in another process: shown as "$ command", with what it prints
#   other \ commands        run unseen
#   anything else           a statement up to a line that ends with a semicolon: shown and run
#
# Empty lines are kept, but never two of them.

# Prints a line through psql; single quotes and backslashes are psql's to interpret.
function say(line)
{
	at_blank = line == ""
	gsub(/\\/, "&&", line)
	gsub(/'/, "&&", line)
	printf "\\echo '%s'\n", line
}

function heading(title,    rule)
{
	rule = title
	gsub(/./, "=", rule)
	say(title)
	say(rule)
	say("")
}

!inside && /^-- == .* ==$/ { heading(substr($0, 7, length($0) - 9)); next }
!inside && /^--\?/ { hidden = 1; next }
!inside && /^--\.$/ { silent = 1; next }
!inside && /^--/ { say(substr($0, 4)); next }
!inside && /^[ \t]*$/ { if (!at_blank && !hidden) say(""); next }
!inside && /^\\copy / { say("    " $0); print; next }
!inside && /^\\set other `/ {
	command = substr($0, 13, length($0) - 13)
	say("    $ " command)
	say("")
	print
	print "\\echo :other"
	at_blank = 0
	next
}
!inside && /^\\g / { print; hidden = 0; next }
!inside && /^\\/ { if (/^\\timing/) timing = /on/; print; next }
hidden { print; if (/;[ \t]*$/) hidden = 0; next }
{
	if (!inside)
		returns_rows = /^(SELECT|WITH|VALUES|TABLE)/ && !silent
	inside = !/;[ \t]*$/
	say("    " $0)
	statement = statement $0 "\n"
	if (inside)
		next
	if (returns_rows)
		say("")
	if (silent)
		sub(/;[ \t]*\n$/, "\n\\g /dev/null\n", statement)
	printf "%s", statement
	statement = ""
	silent = 0
	# psql ends a result with an empty line; the time comes after it
	at_blank = returns_rows && !timing
}
