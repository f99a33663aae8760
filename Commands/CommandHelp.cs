using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text;

namespace Pelican.Commands;

/// <summary>The help of a command: what it does, every option, and examples that can be copied.</summary>
/// <param name="width">Columns to fill.</param>
internal sealed class CommandHelp(int width) : SynchronousCommandLineAction
{
    private const int Indent = 2;
    private const int WidestOption = 28;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.Write(Text(parseResult.CommandResult.Command));
        return 0;
    }

    /// <summary>The whole text.</summary>
    public string Text(Command command)
    {
        StringBuilder text = new();
        Verb? verb = command as Verb;
        string words = command.Subcommands.Count > 0 ? "<command>" : verb?.Usage ?? "";
        text.Append($"Usage: {Verb.PathOf(command)} [options] {words}".TrimEnd()).Append("\n\n");
        Paragraph(text, command.Description ?? "", 0);
        foreach (string paragraph in verb?.Details ?? [])
        {
            text.Append('\n');
            Paragraph(text, paragraph, 0);
        }

        Table(text, "Commands", command.Subcommands.Where(sub => !sub.Hidden).Select(sub => (sub.Name, sub.Description ?? "")));
        Table(text, "Options", command.Options.Where(option => !option.Recursive && !option.Hidden).Select(Row));
        Table(text, "Options of every command", Recursive(command).Select(Row));
        Examples(text, verb?.Examples ?? []);
        if (command.Subcommands.Count > 0)
        {
            text.Append($"\n'{Verb.PathOf(command)} <command> --help' tells more.\n");
        }

        return text.ToString();
    }

    private static IEnumerable<Option> Recursive(Command command)
    {
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
        {
            foreach (Option option in at.Options.Where(option => option.Recursive && !option.Hidden))
            {
                yield return option;
            }
        }
    }

    private static (string, string) Row(Option option)
    {
        string names = string.Join(", ", option.Aliases.Where(alias => alias.Length == 2).Append(option.Name));
        string label = option.Aliases.Any(alias => alias.Length == 2) ? names : "    " + names;
        string value = option is HelpOption || option.Arity.MaximumNumberOfValues == 0 ? "" : $" <{option.HelpName ?? "value"}>";
        return (label + value, option.Description ?? "");
    }

    private void Table(StringBuilder text, string title, IEnumerable<(string Label, string Meaning)> rows)
    {
        (string Label, string Meaning)[] all = [.. rows];
        if (all.Length == 0)
        {
            return;
        }

        text.Append('\n').Append(title).Append(":\n");
        int column = Indent + Math.Min(all.Max(row => row.Label.Length), WidestOption) + 2;
        foreach ((string label, string meaning) in all)
        {
            text.Append(' ', Indent).Append(label);
            int used = Indent + label.Length;
            if (used + 2 > column)
            {
                text.Append('\n');
                used = 0;
            }

            text.Append(' ', column - used);
            Paragraph(text, meaning, column, alreadyThere: true);
        }
    }

    private static void Examples(StringBuilder text, IReadOnlyList<(string Line, string Meaning)> examples)
    {
        if (examples.Count == 0)
        {
            return;
        }

        text.Append("\nExamples:\n");
        foreach ((string line, string meaning) in examples)
        {
            text.Append($"  # {meaning}\n  {line}\n");
        }
    }

    private void Paragraph(StringBuilder text, string paragraph, int column, bool alreadyThere = false)
    {
        int at = column;
        if (!alreadyThere)
        {
            text.Append(' ', column);
        }

        bool first = true;
        foreach (string word in paragraph.Split(' '))
        {
            if (!first && at + 1 + word.Length > width)
            {
                text.Append('\n').Append(' ', column).Append(word);
                at = column + word.Length;
                continue;
            }

            text.Append(first ? "" : " ").Append(word);
            at += word.Length + (first ? 0 : 1);
            first = false;
        }

        text.Append('\n');
    }
}
