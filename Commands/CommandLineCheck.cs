using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What System.CommandLine lets pass, or says less well.</summary>
internal static class CommandLineCheck
{
    /// <summary>Refuses a command line that cannot be followed.</summary>
    /// <param name="parse">What was made of it.</param>
    /// <param name="args">Its words.</param>
    /// <exception cref="PelicanException">It cannot be followed: why, and what was probably meant.</exception>
    public static void Refuse(ParseResult parse, IReadOnlyList<string> args)
    {
        Command command = parse.CommandResult.Command;
        string hint = $"Try '{Verb.PathOf(command)} --help' for more information.";
        if (parse.GetResult(parse.RootCommandResult.Command.Options.OfType<HelpOption>().First()) is { Implicit: false })
        {
            if (command.Subcommands.Count > 0 && parse.UnmatchedTokens is [[not '-', ..] unknown, ..])
            {
                throw ForeignWords.Unknown(unknown, command, hint);
            }

            return;
        }

        Option[] options = [.. OptionsOf(command)];
        if ((new OptionWords(options, hint).Check(args) ?? MisspeltOption(parse)) is { } option)
        {
            string? near = Spelling.Nearest(option.Split('=')[0], options.Select(known => known.Name));
            string name = near is null && option.AsSpan().ContainsAny("./") ? "A name that begins with '-' goes after '--'. " : "";
            throw new PelicanException(Errors.Parameter, $"unknown option '{option}'" + (near is null ? "" : $"; is {near} meant?"), name + hint);
        }

        if (parse.UnmatchedTokens is [{ } word, ..])
        {
            throw TooMany(word, parse, hint);
        }

        if (parse.Errors is [{ } error, ..])
        {
            throw new PelicanException(Errors.Parameter, command.Subcommands.Count > 0 ? "no command is given" : error.Message, hint);
        }

        if (command is Verb verb && verb.Refusal(parse) is { } refusal)
        {
            throw refusal;
        }
    }

    private static PelicanException TooMany(string word, ParseResult parse, string hint)
    {
        const int Most = 100_000;
        Command command = parse.CommandResult.Command;
        if (command.Subcommands.Count > 0)
        {
            return ForeignWords.Unknown(word, command, hint);
        }

        if (command.Arguments.Count == 0)
        {
            return new PelicanException(Errors.Parameter, $"'{word}' is one word too many: '{Verb.PathOf(command)}' takes none", hint);
        }

        // All that come after the command are its arguments: this one stands before it, unless there were too many.
        return parse.Tokens.Count > Most
            ? new PelicanException(Errors.Parameter, $"more than {Most} words are too many for one command", "Call pelican several times, as xargs does.")
            : new PelicanException(Errors.Parameter, $"unknown command '{word}' before '{command.Name}'", hint);
    }

    // A word that looks like an option was meant as one, unless it stands after "--", be it taken for an argument or left over.
    private static string? MisspeltOption(ParseResult parse)
    {
        if (parse.UnmatchedTokens is [['-', _, ..] leftOver, ..] && parse.Tokens.All(token => token.Type != TokenType.DoubleDash))
        {
            return leftOver;
        }

        HashSet<Token> words = new(
            parse.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens), ReferenceEqualityComparer.Instance);
        return parse.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(token => words.Contains(token) && token.Value.Length > 1 && token.Value[0] == '-')?.Value;
    }

    private static IEnumerable<Option> OptionsOf(Command command)
    {
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
        {
            foreach (Option option in at.Options.Where(option => at == command || option.Recursive))
            {
                yield return option;
            }
        }
    }
}
