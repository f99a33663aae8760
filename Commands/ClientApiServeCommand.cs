using System.CommandLine;
using System.Globalization;
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

    /// <summary>Whether a server that runs already is as good as one that was started.</summary>
    public bool IfNotRunning { get; init; }

    /// <summary>Where a detached process reports how it started; null in any other.</summary>
    public int? ReadyDescriptor { get; init; }

    /// <summary>The verb and what it was given, see <see cref="ServeArguments"/>.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }
}

/// <summary><c>pelican client-api serve</c> and <c>restart</c>: starts the server.</summary>
internal static class ClientApiServeCommand
{
    private const string ReadyOption = "--ready-fd";
    private const int VerbWords = 2;

    /// <summary>Today's servers end by themselves: whoever calls them by that name expects it.</summary>
    private static readonly TimeSpan AgentIdleTimeout = TimeSpan.FromMinutes(10);

    /// <summary>Makes the command.</summary>
    /// <param name="host">What the commands share.</param>
    /// <param name="name">Its name; <c>start</c> for the alias.</param>
    public static Command Create(CommandHost host, string name)
    {
        bool agent = name == "start";
        Verb verb = new(name, "Start the Client API server.")
        {
            Details =
            [
                "It returns when the server answers; the server goes on when you log out. Its files are in ~/.pelican, for you alone.",
                "Jobs that a server had not finished go on, from where they were.",
                "Settings, for what no option says: ClientApi.Socket, PidFile, DbLocation, MaxConcurrentJobs, IdleTimeout and HistoryRetentionDays"
                + " in the configuration file; PELICAN_CLIENT_API_SOCKET, PELICAN_CLIENT_API_PIDFILE and so on in the environment.",
            ],
            Examples =
            [
                ($"pelican {(agent ? "client-agent" : "client-api")} {name}", "start it in the background"),
                ($"pelican client-api serve --foreground", "in the foreground, for systemd or a container; Ctrl+C ends it"),
                ("pelican client-api serve --if-not-running", "in a script: start it, or do nothing when it is running"),
                ("pelican client-api serve --max-jobs 10 --idle-timeout 1h", "more jobs at once, and an end when there has been nothing to do for an hour"),
            ],
        };
        return Complete(host, verb, agent, RunAsync);
    }

    /// <summary>Makes the command that ends a running server first.</summary>
    public static Command CreateRestart(CommandHost host)
    {
        Verb verb = new("restart", "End the Client API server if it is running, and start it.")
        {
            Details =
            [
                "The new one has the options of the old one, but for those on this command line; settings are read again.",
                "It is started in the background, also when the old one was not.",
            ],
            Examples =
            [
                ("pelican client-api restart", "after an upgrade of pelican"),
                ("pelican client-api restart --max-jobs 10", "with another limit"),
            ],
        };
        return Complete(host, verb, agent: false, RestartAsync);
    }

    /// <summary>Serves, or starts a process that does.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(ServeOptions options, Session session, CancellationToken cancellationToken)
    {
        if (options.ReadyDescriptor is not { } descriptor)
        {
            return await StartAsync(options, session, cancellationToken);
        }

        bool told = false;
        try
        {
            return await new ClientApiServing(options, session).RunAsync(record => Tell(new StartReport { Started = record }), cancellationToken);
        }
        catch (PelicanException e) when (!told)
        {
            Tell(new StartReport
            {
                Failure = new StartFailure { Error = e.Message, Code = e.Row.Code, Retryable = e.Retryable, NextStep = e.NextStep },
            });
            // Whoever asked knows it now. That another one runs is nothing for its log.
            if (e.Row == Errors.ServerRunning)
            {
                return e.ExitStatus;
            }

            throw;
        }

        void Tell(StartReport report)
        {
            told = true;
            Detachment.Tell(descriptor, report);
        }
    }

    private static async Task<int> StartAsync(ServeOptions options, Session session, CancellationToken cancellationToken)
    {
        BatchJob.WarnOfServer(() => ClientApiCommand.Paths(options.Files, session), session);
        try
        {
            return options.Foreground || InstanceSocket.IsPassed(session.World.Variable)
                ? await new ClientApiServing(options, session).RunAsync(record => Ready(session, record), cancellationToken)
                : await DetachAsync(options.Arguments, session, cancellationToken);
        }
        catch (PelicanException e) when (options.IfNotRunning && e.Row == Errors.ServerRunning)
        {
            // Only one that answers is running.
            DaemonState state = await ClientApiCommand.Control(options.Files, session).FindAsync(cancellationToken);
            if (state.Health is null)
            {
                throw;
            }

            ClientApiCommand.Show(session, ClientApiStatusCommand.ReportOf(state), "is running");
            return 0;
        }
    }

    private static async Task<int> RestartAsync(ServeOptions options, Session session, CancellationToken cancellationToken)
    {
        DaemonControl control = ClientApiCommand.Control(options.Files, session);
        if (options.Files is { Socket: not null, PidFile: null } && await control.FindAsync(cancellationToken) is { Alive: true, Record: null } other)
        {
            // It would be started with the usual database, and its jobs be left behind.
            throw new PelicanException(Errors.Parameter, $"with which options the server at '{other.Socket}' was started cannot be told from its socket",
                "Name its --pid-file too: they are kept beside it.");
        }

        BatchJob.WarnOfServer(() => ClientApiCommand.Paths(options.Files, session), session);
        DaemonState old = await control.StopAsync(ClientApiStopCommand.DefaultTimeout, cancellationToken);
        IReadOnlyList<string> arguments = old is { Alive: true, Record.Arguments: { Count: >= VerbWords } before }
            ? [.. before.Take(VerbWords), .. ServeArguments.Over([.. before.Skip(VerbWords)], [.. options.Arguments.Skip(VerbWords)])]
            : options.Arguments;
        return await DetachAsync(arguments, session, cancellationToken);
    }

    private static Verb Complete(CommandHost host, Verb verb, bool agent, Func<ServeOptions, Session, CancellationToken, Task<int>> run)
    {
        ClientApiFlags flags = new(verb);
        Option<string?> maxJobs = verb.Value("--max-jobs", "N", "Jobs that run at once (default 5)");
        Option<string?> database = verb.Value("--database", "PATH", "Where jobs are kept (default ~/.pelican/client-api.db)");
        Option<string?> logFile = verb.Value("--log-file", "PATH", "Log (default ~/.pelican/client-api.log" + (verb.Name == "restart" ? ")" : "; standard error with --foreground)"));
        Option<string?> idle = verb.Value("--idle-timeout", "TIME", agent ? "End after so long without work (default 10m; 0 for never)" : "End after so long without work (default: never)");
        bool restart = verb.Name == "restart";
        Option<bool> foreground = restart ? new("--foreground") : verb.Switch("--foreground", "Do not detach from the terminal");
        Option<bool> ifNotRunning = restart ? new(ServeArguments.IfNotRunning) : verb.Switch(ServeArguments.IfNotRunning, "Succeed when a server is running already");
        Option<int?> ready = new(ReadyOption) { Hidden = true };
        if (!restart)
        {
            verb.Options.Add(ready);
        }

        string[] words = agent ? ["client-agent", "start"] : ["client-api", "serve"];
        verb.SetAction(host.Action(
            parse => new ServeOptions
            {
                Files = flags.Read(parse) with { Database = parse.GetValue(database), LogFile = parse.GetValue(logFile) },
                MaxJobs = Count(parse.GetValue(maxJobs)),
                IdleTimeout = JobCommand.Time("--idle-timeout", parse.GetValue(idle)),
                DefaultIdleTimeout = agent ? AgentIdleTimeout : TimeSpan.Zero,
                IfNotRunning = !restart && parse.GetValue(ifNotRunning),
                Foreground = !restart && parse.GetValue(foreground),
                ReadyDescriptor = restart ? null : parse.GetValue(ready),
                Arguments = [.. words, .. ServeArguments.Read(parse, host.World)],
            },
            run));
        return verb;
    }

    private static int? Count(string? text) => text is null ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= 1000 ? count
        : throw new PelicanException(Errors.Parameter, $"--max-jobs '{text}' is not a whole number from 1 to 1000");

    private static async Task<int> DetachAsync(IReadOnlyList<string> arguments, Session session, CancellationToken cancellationToken)
    {
        InstancePaths paths = ClientApiCommand.Paths(ServeArguments.Files(arguments), session);
        StartReport report = await Detachment.StartAsync(["pelican", .. arguments], ReadyOption, paths.LogFile, cancellationToken);
        if (report.Started is not { } record)
        {
            StartFailure failure = report.Failure!;
            throw new PelicanException(Errors.All.First(row => row.Code == failure.Code), failure.Error, failure.NextStep) { Retryable = failure.Retryable };
        }

        if (record.Socket != paths.Socket)
        {
            string other = Instance.Read(paths.Record) is { } theirs
                ? string.Create(CultureInfo.InvariantCulture, $"the server on {theirs.Host} (PID: {theirs.Pid})") : "another host's server";
            session.Messages.Line($"{paths.Socket} belongs to {other}: this one has files, and jobs, of its own.");
        }

        ClientApiCommand.Show(session, ReportOf(record), "started");
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
