using System.CommandLine;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Commands that are none here: of the Go client, of other programs, misspelt.</summary>
internal static class ForeignWords
{
    private const string UseGo = "The Go client of Pelican has it.";

    /// <summary>What the Go client can do and this program cannot yet (cli.md 5 to 12), and what to do instead.</summary>
    private static readonly Dictionary<string, string> NotYet = new()
    {
        ["pelican object sync"] = "'pelican object get -r' and 'pelican object put -r' transfer whole trees.",
        ["pelican object prestage"] = UseGo,
        ["pelican object evict"] = UseGo,
        ["pelican object share"] = UseGo,
        ["pelican object du"] = "'pelican object ls -l' shows sizes.",
        ["pelican token"] = "Get a token with your site's tool, such as htgettoken, and name its file with -t.",
        ["pelican credentials"] = "Get a token with your site's tool, such as htgettoken, and name its file with -t.",
        ["pelican config"] = UseGo,
        ["pelican namespace"] = UseGo,
        ["pelican transfer"] = UseGo,
        ["pelican plugin"] = UseGo,
        ["pelican rclone"] = UseGo,
        ["pelican completion"] = "'pelican --help' and 'pelican <command> --help' tell the words.",
    };

    private static readonly Dictionary<string, string> Synonyms = new()
    {
        ["rm"] = "delete",
        ["del"] = "delete",
        ["remove"] = "delete",
        ["cp"] = "copy",
        ["cat"] = "get",
        ["download"] = "get",
        ["upload"] = "put",
        ["dir"] = "ls",
    };

    /// <summary>The error of a word where a command should be.</summary>
    /// <param name="word">The word.</param>
    /// <param name="command">The command that has others.</param>
    /// <param name="hint">Where to read on.</param>
    public static PelicanException Unknown(string word, Command command, string hint)
    {
        string path = $"{Verb.PathOf(command)} {word}";
        if (NotYet.TryGetValue(path, out string? instead))
        {
            return new PelicanException(Errors.NotSupported, $"'{path}' is not there yet", instead);
        }

        string? meant = word == "version" ? "--version"
            : Path(Synonyms.GetValueOrDefault(word, word), command)
            ?? Spelling.Nearest(word, command.Subcommands.Select(sub => sub.Name));
        return new PelicanException(Errors.Parameter, $"unknown command '{word}'" + (meant is null ? "" : $"; is '{meant}' meant?"), hint);
    }

    // A command of that name, here or a step further down.
    private static string? Path(string name, Command command) =>
        command.Subcommands.Any(sub => sub.Name == name) ? name
        : command.Subcommands.FirstOrDefault(sub => !sub.Hidden && sub.Subcommands.Any(verb => verb.Name == name)) is { } group
            ? $"{group.Name} {name}"
        : null;
}
