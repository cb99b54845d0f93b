# narrate.awk - turn a commented SQL file into a psql script that tells it as a story.
#
#   -- == Title ==       a heading
#   -- text              prose; "--" alone is an empty line
#   --? text             the statement that follows runs unseen (the demo checks itself)
#   \copy, \!            shown and run; other backslash commands run unseen
#   anything else        a statement up to a line that ends with a semicolon: shown and run

# Prints a line through psql; single quotes and backslashes are psql's to interpret.
function echo(line)
{
	gsub(/\\/, "\\\\", line)
	gsub(/'/, "''", line)
	printf "\\echo '%s'\n", line
}

# Underlines a heading.
function heading(title,    rule)
{
	rule = title
	gsub(/./, "=", rule)
	echo("")
	echo(title)
	echo(rule)
}

!inside && /^-- == .* ==$/ { heading(substr($0, 7, length($0) - 9)); said = 1; next }
!inside && /^--\?/ { hidden = 1; next }
!inside && /^--/ { if (!said) echo(""); echo(substr($0, 4)); said = 1; next }
!inside && /^[ \t]*$/ { said = 0; next }
!inside && /^\\(copy|!)/ {
	shown = $0
	sub(/^\\! */, "$ ", shown)
	echo("")
	echo("    " shown)
	print
	next
}
!inside && /^\\/ { print; next }
{
	if (!inside && !hidden)
		echo("")
	inside = 1
	if (!hidden)
		echo("    " $0)
	print
	if (/;[ \t]*$/) {
		if (!hidden)
			echo("")
		inside = hidden = said = 0
	}
}
