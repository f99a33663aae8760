using System.CommandLine;
using System.CommandLine.Help;
using Pelican.Server;

namespace Pelican.Commands;

/// <summary>
/// The options that a server was given, as words that mean the same in any directory: <c>--name=value</c>. The process
/// that serves is started with them, and a restart finds them again.
/// </summary>
internal static class ServeArguments
{
    public const string IfNotRunning = "--if-not-running";

    private const string Socket = "--socket";
    private const string PidFile = "--pid-file";
    private const string Database = "--database";
    private const string LogFile = "--log-file";

    private static readonly HashSet<string> Paths = [Socket, PidFile, Database, LogFile, "--config", "--log"];

    /// <summary>About one run, not about the server.</summary>
    private static readonly HashSet<string> NotKept = ["--foreground", IfNotRunning, "--ready-fd", "--json", "--quiet", "--version"];

    /// <summary>Reads them from a command line.</summary>
    public static IReadOnlyList<string> Read(ParseResult parse, Surroundings world)
    {
        List<string> words = [];
        for (Command? at = parse.CommandResult.Command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
        {
            foreach (Option option in at.Options.Where(option => option is not HelpOption && !NotKept.Contains(option.Name)))
            {
                if (parse.GetResult(option) is { Implicit: false } result)
                {
                    string? value = result.Tokens is [.., { } last] ? last.Value : null;
                    words.Add(value is null ? option.Name
                        : $"{option.Name}={(value.Length > 0 && Paths.Contains(option.Name) ? world.Absolute(value) : value)}");
                }
            }
        }

        return words;
    }

    /// <summary>Puts new options over old ones.</summary>
    public static IReadOnlyList<string> Over(IReadOnlyList<string> old, IReadOnlyList<string> words)
    {
        HashSet<string> names = [.. words.Select(Name)];
        return [.. old.Where(word => !names.Contains(Name(word))), .. words];
    }

    /// <summary>The files that they name.</summary>
    public static InstanceChoice Files(IReadOnlyList<string> words) => new()
    {
        Socket = Value(words, Socket),
        PidFile = Value(words, PidFile),
        Database = Value(words, Database),
        LogFile = Value(words, LogFile),
    };

    private static string Name(string word) => word.Split('=', 2)[0];

    private static string? Value(IReadOnlyList<string> words, string name) =>
        words.FirstOrDefault(word => Name(word) == name)?[(name.Length + 1)..];
}
