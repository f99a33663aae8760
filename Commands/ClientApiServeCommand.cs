using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Pelican.Json;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>client-api serve</c> was asked to do.</summary>
internal sealed record ServeOptions
{
    public required InstanceChoice Files { get; init; }

    /// <summary>Jobs at once; null for the setting.</summary>
    public int? MaxJobs { get; init; }

    /// <summary>Zero for never; null for the setting.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>What goes where neither the command line nor a setting says anything; zero for never.</summary>
    public TimeSpan DefaultIdleTimeout { get; init; }

    public bool Foreground { get; init; }

    /// <summary>Where a detached process reports how it started; null in any other.</summary>
    public int? ReadyDescriptor { get; init; }

    /// <summary>Whether a running server is ended first.</summary>
    public bool Restart { get; init; }

    /// <summary>The command line that serves: of the program itself, without what is added for the detached process.</summary>
    public required IReadOnlyList<string> CommandLine { get; init; }
}

/// <summary><c>pelican client-api serve</c> and <c>restart</c>: starts the server.</summary>
internal static class ClientApiServeCommand
{
    private const string ReadyOption = "--ready-fd";
    private const int Hangup = 1;
    private const int Ignore = 1;

    /// <summary>Today's servers end by themselves: whoever calls them by that name expects it.</summary>
    private static readonly TimeSpan AgentIdleTimeout = TimeSpan.FromMinutes(10);

    /// <summary>Makes the command.</summary>
    /// <param name="host">What the commands share.</param>
    /// <param name="name">Its name.</param>
    public static Command Create(CommandHost host, string name) => Create(host, new Verb(name, "Start the Client API server.")
    {
        Details =
        [
            "It returns when the server answers; the server goes on when you log out. Its files are in ~/.pelican, for you alone.",
            "Jobs that a server had not finished go on, from where they were.",
        ],
        Examples =
        [
            ("pelican client-api serve", "start it in the background"),
            ("pelican client-api serve --foreground", "in the foreground, for systemd or a container; Ctrl+C ends it"),
            ("pelican client-api serve --max-jobs 10 --idle-timeout 1h", "more jobs at once, and an end when there has been nothing to do for an hour"),
        ],
    }, name, restart: false);

    /// <summary>Makes the command that ends a running server first.</summary>
    public static Command CreateRestart(CommandHost host) => Create(host, new Verb("restart", "End the Client API server if it is running, and start it.")
    {
        Details = ["The new one has the options of this command line, not those of the old one."],
        Examples = [("pelican client-api restart", "after an upgrade of pelican")],
    }, "serve", restart: true);

    /// <summary>Serves, or starts a process that does.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(ServeOptions options, Session session, CancellationToken cancellationToken)
    {
        if (options.Restart)
        {
            await ClientApiCommand.Control(options.Files, session).StopAsync(ClientApiStopCommand.DefaultTimeout, cancellationToken);
        }

        using InstanceSocket? inherited = InstanceSocket.Inherit(session.World.Variable);
        InstanceChoice choice = ClientApiCommand.Choice(options.Files, session);
        choice = inherited is null ? choice : choice with { Socket = inherited.Path };
        var host = HostIdentity.Read();
        var paths = InstancePaths.Resolve(choice, ClientApiCommand.Home(session), host);
        if (options.ReadyDescriptor is not { } descriptor)
        {
            return options.Foreground || inherited is not null
                ? await ServeAsync(options, choice, paths, inherited, host, session, record => Ready(session, record), cancellationToken)
                : await DetachAsync(options, paths, session, cancellationToken);
        }

        bool told = false;
        try
        {
            return await ServeAsync(options, choice, paths, null, host, session, record => Tell(new StartReport(record, null)), cancellationToken);
        }
        catch (PelicanException e) when (!told)
        {
            Tell(new StartReport(null, Reports.Of(e, null)));
            throw;
        }

        void Tell(StartReport report)
        {
            told = true;
            Detachment.Tell(descriptor, report);
        }
    }

    private static Verb Create(CommandHost host, Verb verb, string serve, bool restart)
    {
        ClientApiFlags flags = new(verb);
        Option<string?> maxJobs = verb.Value("--max-jobs", "N", "Jobs that run at once (default 5)");
        Option<string?> database = verb.Value("--database", "PATH", "Where jobs are kept (default ~/.pelican/client-api.db)");
        Option<string?> logFile = verb.Value("--log-file", "PATH", "Log (default ~/.pelican/client-api.log; standard error with --foreground)");
        Option<string?> idle = verb.Value("--idle-timeout", "TIME", serve == "start" ? "End after so long without work (default 10m; 0 for never)" : "End after so long without work (default: never)");
        Option<bool> foreground = verb.Switch("--foreground", "Do not detach from the terminal");
        Option<int?> ready = new(ReadyOption) { Hidden = true };
        verb.Options.Add(ready);
        verb.SetAction(host.Action(
            parse => new ServeOptions
            {
                Files = flags.Read(parse) with { Database = parse.GetValue(database), LogFile = parse.GetValue(logFile) },
                MaxJobs = Count(parse.GetValue(maxJobs)),
                IdleTimeout = ClientApiStopCommand.Time(parse.GetValue(idle), "--idle-timeout"),
                DefaultIdleTimeout = serve == "start" ? AgentIdleTimeout : TimeSpan.Zero,
                Foreground = parse.GetValue(foreground),
                ReadyDescriptor = parse.GetValue(ready),
                Restart = restart,
                CommandLine = ["pelican", .. parse.Tokens.Select(token => token.Type == TokenType.Command && token.Value == "restart" ? "serve" : token.Value)],
            },
            RunAsync));
        return verb;
    }

    private static int? Count(string? text) => text is null ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= 1000 ? count
        : throw new PelicanException(Errors.Parameter, $"--max-jobs '{text}' is not a whole number from 1 to 1000");

    private static async Task<int> DetachAsync(ServeOptions options, InstancePaths paths, Session session, CancellationToken cancellationToken)
    {
        StartReport report = await Detachment.StartAsync(options.CommandLine, ReadyOption, paths.LogFile, cancellationToken);
        if (report.Started is { } record)
        {
            ClientApiCommand.Show(session, ReportOf(record), "started");
            return 0;
        }

        ErrorReport error = report.Error!;
        throw new PelicanException(Errors.All.First(row => row.Code == error.Code), error.Error, error.NextStep) { Retryable = error.Retryable };
    }

    private static async Task<int> ServeAsync(
        ServeOptions options, InstanceChoice choice, InstancePaths paths, InstanceSocket? inherited, HostIdentity host, Session session,
        Action<InstanceRecord> ready, CancellationToken cancellationToken)
    {
        bool detached = options.ReadyDescriptor is not null;
        bool logsToFile = detached || choice.LogFile is not null;
        UnixFileMode fileMode = session.World.NewFileMode();
        if (detached)
        {
            // The terminal may close: that is what it was detached for.
            _ = Posix.SetSignalAction(Hangup, Ignore);
            Detachment.Leave();
        }

        TimeProvider clock = session.World.Clock;
        using Instance instance = await new InstanceClaim(host, clock).TakeAsync(paths, inherited is not null, logsToFile, cancellationToken);
        Configuration configuration = session.Configuration;
        using ILoggerFactory logs = session.Sink.OpenForServer(configuration.LogLevel, logsToFile ? instance.Paths.LogFile : null, detached);
        using FederationClient client = session.World.OpenFederation(
            configuration.Client, new TokenEnvironment { UserId = session.World.UserId }, session.Redactor, logs);
        TimeSpan idle = options.IdleTimeout ?? configuration.Server.IdleTimeout ?? options.DefaultIdleTimeout;
        DaemonOptions daemon = new()
        {
            Inherited = inherited,
            IdleTimeout = idle > TimeSpan.Zero ? idle : null,
            Jobs = new JobTableOptions
            {
                Database = instance.Paths.Database,
                MaxJobs = options.MaxJobs ?? configuration.Server.MaxJobs,
                HistoryRetentionDays = configuration.Server.HistoryRetentionDays,
                DefaultFileMode = fileMode,
                Settings = configuration.Client,
                Redactor = session.Redactor,
            },
        };
        await new Daemon(daemon, instance, client, logs, clock).RunAsync(ready, cancellationToken);
        return 0;
    }

    private static void Ready(Session session, InstanceRecord record)
    {
        ClientApiCommand.Show(session, ReportOf(record), "is running");
        SystemdNotice.Ready(session.World.Variable("NOTIFY_SOCKET"));
    }

    private static ServerReport ReportOf(InstanceRecord record) => new()
    {
        Running = true,
        Socket = record.Socket,
        Pid = record.Pid,
        Host = record.Host,
        Version = record.Version,
        PidFile = record.PidFile,
        Database = record.Database,
        LogFile = record.LogFile,
    };
}
