using Microsoft.Extensions.Logging;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Everything outside the program that a command touches, so that tests can stand in for a process.</summary>
internal sealed record Surroundings
{
    /// <summary>Standard output: data only.</summary>
    public required Stream Output { get; init; }

    /// <summary>Standard error: everything that people read.</summary>
    public required Stream ErrorOutput { get; init; }

    /// <summary>Value of an environment variable; null when unset.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>Names of all environment variables.</summary>
    public required Func<IEnumerable<string>> VariableNames { get; init; }

    /// <summary>The current directory, absolute; null when it has been removed.</summary>
    public required Func<string?> CurrentDirectory { get; init; }

    /// <summary>Time.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>The caller's real user id.</summary>
    public required uint UserId { get; init; }

    /// <summary>The caller's umask.</summary>
    public required Func<UnixFileMode> Umask { get; init; }

    /// <summary>Opens the federation.</summary>
    public required Func<ClientSettings, TokenEnvironment, Redactor, ILoggerFactory, FederationClient> OpenFederation { get; init; }

    /// <summary>Runs this program again with other arguments, to its end.</summary>
    public required Func<IReadOnlyList<string>, CancellationToken, Task<OwnRun>> RunSelf { get; init; }

    /// <summary>Whether <see cref="Output"/> is a terminal.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>Whether <see cref="ErrorOutput"/> is a terminal.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Columns and rows of the terminal.</summary>
    public Func<(int Columns, int Rows)> TerminalSize { get; init; } = () => (80, 24);

    /// <summary>Where the configuration of the whole system is.</summary>
    public string SystemConfiguration { get; init; } = "/etc/pelican";

    /// <summary>Whether whoever read <see cref="Output"/> has gone away: then there is nothing to say, and no reason to go on.</summary>
    public bool ReaderGone => Output is ConsoleStream { ReaderGone: true };

    /// <summary>Makes a local path absolute without touching links or double dots: the kernel knows better what they mean.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.LocalFileNotFound"/>: relative to a directory that is gone.</exception>
    public string Absolute(string path) =>
        path.StartsWith('/') ? path
        : CurrentDirectory() is { } directory ? $"{directory.TrimEnd('/')}/{WithoutHere(path)}"
        : throw new PelicanException(Errors.LocalFileNotFound, $"cannot find '{path}': the current directory does not exist any more",
            "Change to a directory that exists, or give absolute paths.");

    // "./a" is "a"; a dot at the end stays, since it says that a directory is meant.
    private static string WithoutHere(string path)
    {
        while (path.StartsWith("./", StringComparison.Ordinal) && path.TrimStart('.', '/').Length > 0 && !path.StartsWith("./.", StringComparison.Ordinal))
        {
            path = path[2..].TrimStart('/');
        }

        return path;
    }

    /// <summary>Mode of new files, by the caller's umask.</summary>
    public UnixFileMode NewFileMode() => ProcessStatus.NewFileMode(Umask());

    /// <summary>The surroundings of this process.</summary>
    /// <param name="stop">Ends a wait for whoever reads standard output or error.</param>
    public static Surroundings OfProcess(CancellationToken stop) => new()
    {
        Output = new ConsoleStream(1, stop),
        ErrorOutput = new ConsoleStream(2, stop),
        Variable = Environment.GetEnvironmentVariable,
        VariableNames = () => Environment.GetEnvironmentVariables().Keys.Cast<string>(),
        CurrentDirectory = WorkingDirectory,
        Clock = TimeProvider.System,
        UserId = Posix.GetUserId(),
        Umask = () => ProcessStatus.Read().Umask,
        OpenFederation = (settings, tokens, redactor, logs) =>
            new FederationClient(settings, tokens, redactor, logs, TimeProvider.System, Random.Shared),
        RunSelf = OwnRun.RunAsync,
        OutputIsTerminal = Posix.IsTerminal(1) == 1,
        ErrorIsTerminal = Posix.IsTerminal(2) == 1 && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb"),
        TerminalSize = () => Posix.TerminalSize(2) ?? Posix.TerminalSize(1) ?? (80, 24),
    };

    private static string? WorkingDirectory()
    {
        try
        {
            return Environment.CurrentDirectory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
