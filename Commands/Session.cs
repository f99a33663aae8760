using Microsoft.Extensions.Logging;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>One run of one command: its surroundings, its settings, and the federation once it is wanted.</summary>
internal sealed partial class Session : IDisposable
{
    private readonly ILoggerFactory _logs;
    private readonly ILogger _log;
    private readonly Lazy<FederationClient> _federation;

    /// <summary>Opens it.</summary>
    /// <param name="world">Surroundings of the command.</param>
    /// <param name="messages">Standard error.</param>
    /// <param name="configuration">Its settings.</param>
    /// <param name="redactor">Learns the secrets that are met.</param>
    /// <param name="logs">Where log messages go; closed with the session.</param>
    public Session(
        Surroundings world, ConsoleMessages messages, Configuration configuration, Redactor redactor, ILoggerFactory logs)
    {
        (World, Messages, Configuration, Redactor, _logs) = (world, messages, configuration, redactor, logs);
        Output = new ConsoleOutput(world.Output);
        _federation = new Lazy<FederationClient>(() => world.OpenFederation(configuration.Client, Tokens(), redactor, logs));
        _log = logs.CreateLogger<Session>();
        foreach (string warning in configuration.Warnings)
        {
            Log.Warning(_log, warning);
        }

        foreach (string note in configuration.Notes)
        {
            Log.Note(_log, note);
        }
    }

    /// <summary>What is outside.</summary>
    public Surroundings World { get; }

    /// <summary>Standard error.</summary>
    public ConsoleMessages Messages { get; }

    /// <summary>Standard output.</summary>
    public ConsoleOutput Output { get; }

    /// <summary>Settings of this run.</summary>
    public Configuration Configuration { get; }

    /// <summary>Opens further logs.</summary>
    public required LogSink Sink { get; init; }

    /// <summary>Takes secrets out of a text.</summary>
    public Redactor Redactor { get; }

    /// <summary>Whether output is wanted as JSON.</summary>
    public bool Json { get; init; }

    /// <summary>Whether neither progress nor summary is wanted.</summary>
    public bool Quiet { get; init; }

    /// <summary>Whether details are wanted.</summary>
    public bool Debug => Configuration.LogLevel <= LogLevel.Debug;

    /// <summary>The federation; opened at the first use, so that local mistakes cost no network.</summary>
    public FederationClient Federation => _federation.Value;

    /// <summary>Whether running transfers are displayed.</summary>
    public bool ShowsProgress =>
        World.ErrorIsTerminal && !Quiet && Configuration is { ProgressBars: true, LogFile: null, LogLevel: >= LogLevel.Warning };

    /// <summary>Columns of the terminal that standard output is; null for any other, where nothing is to be cut.</summary>
    public int? OutputColumns => World.OutputIsTerminal ? World.TerminalSize().Columns : null;

    /// <summary>Says how it ended, unless nobody wants to know.</summary>
    public void Summary(string text)
    {
        if (!Quiet)
        {
            Messages.Line(text);
        }
    }

    /// <summary>Says something on standard output, at once, unless only errors are wanted.</summary>
    public void Say(string text)
    {
        if (!Quiet)
        {
            Output.Line(text);
            Output.Flush();
        }
    }

    /// <summary>Reports one object that failed, to people and, with <c>--json</c>, to programs.</summary>
    /// <param name="error">What happened.</param>
    /// <param name="source">The object or file.</param>
    public void Failed(PelicanException error, string source)
    {
        ErrorLines.Show(Messages, error, Debug);
        Record(error);
        if (Json)
        {
            Output.Json(Reports.Of(Redactor.Redact(error), Redactor.Redact(source)), PelicanJson.Output.ErrorReport);
            Output.Flush();
        }
    }

    /// <summary>Notes an error in the log file, if there is one: standard error has its own line.</summary>
    /// <returns>False, for exception filters.</returns>
    public bool Record(Exception error)
    {
        if (Configuration.LogFile is not null && error is not OperationCanceledException)
        {
            Log.Failed(_log, Debug ? error : null, error.Message);
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_federation.IsValueCreated)
        {
            _federation.Value.Dispose();
        }

        _logs.Dispose();
    }

    /// <summary>Looks for this caller's tokens.</summary>
    public TokenFinder TokenFinder() => new(Tokens(), Redactor, World.Clock, _logs.CreateLogger<TokenFinder>());

    // Where they are looked for (tokens.md 3).
    private TokenEnvironment Tokens()
    {
        string? here = World.CurrentDirectory() is null ? null : World.Absolute(".condor_creds");
        return new TokenEnvironment
        {
            BearerToken = Variable("BEARER_TOKEN"),
            BearerTokenFile = File("BEARER_TOKEN_FILE"),
            RuntimeDirectory = File("XDG_RUNTIME_DIR"),
            LegacyTokenFile = File("TOKEN"),
            CondorCredentials = File("_CONDOR_CREDS") ?? (Directory.Exists(here) ? here : null),
            UserId = World.UserId,
        };

        string? Variable(string name) => World.Variable(name) is { Length: > 0 } value ? value : null;

        string? File(string name) => Variable(name) is { } path ? World.Absolute(path) : null;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
        public static partial void Warning(ILogger log, string warning);

        [LoggerMessage(Level = LogLevel.Error, Message = "{Failure}")]
        public static partial void Failed(ILogger log, Exception? cause, string failure);

        [LoggerMessage(Level = LogLevel.Debug, Message = "{Note}")]
        public static partial void Note(ILogger log, string note);
    }
}
