using Microsoft.Extensions.Logging;
using Pelican.Json;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>The process that serves, from the moment it begins with it.</summary>
/// <param name="options">What it was asked to do.</param>
/// <param name="session">The run.</param>
internal sealed class ClientApiServing(ServeOptions options, Session session)
{
    private const int Hangup = 1;

    private readonly bool _detached = options.ReadyDescriptor is not null;
    private readonly TimeProvider _clock = session.World.Clock;
    private readonly UnixFileMode _fileMode = session.World.NewFileMode();

    /// <summary>Serves.</summary>
    /// <param name="ready">Told once, when the socket answers.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Exit status.</returns>
    /// <exception cref="PelicanException">It could not start, or not go on.</exception>
    public async Task<int> RunAsync(Action<InstanceRecord> ready, CancellationToken cancellationToken)
    {
        InstanceChoice choice = ClientApiCommand.Choice(options.Files, session);
        using InstanceSocket? inherited = InstanceSocket.Inherit(session.World.Variable);
        var host = HostIdentity.Read();
        var paths = InstancePaths.Resolve(
            inherited is null ? choice : choice with { Socket = inherited.Path }, ClientApiCommand.Home(session), host);
        ServingManner manner = new(inherited is not null, _detached || choice.LogFile is not null, options.Arguments);
        Settle();

        InstanceClaim claim = new(host, _clock);
        Instance instance = await claim.TakeAsync(paths, manner, cancellationToken);
        try
        {
            DaemonEnd end;
            do
            {
                end = await RunOnceAsync();
                ready = _ => { };
            }
            while (end == DaemonEnd.Again && !cancellationToken.IsCancellationRequested);
            if (end == DaemonEnd.Lost)
            {
                Posix.Exit(Errors.ServerRunning.ExitStatus);
            }

            return 0;
        }
        finally
        {
            instance.Dispose();
        }

        async Task<DaemonEnd> RunOnceAsync()
        {
            using ILoggerFactory logs = session.Sink.OpenForServer(
                session.Configuration.LogLevel, manner.LogsToFile ? instance.Paths.LogFile : null, _detached);
            using FederationClient client = session.World.OpenFederation(
                session.Configuration.Client, new TokenEnvironment { UserId = session.World.UserId }, session.Redactor, logs);
            DaemonOptions daemon = Options(instance.Paths.Database) with
            {
                Inherited = InstanceSocket.Inherit(session.World.Variable),
                TakeAgain = async () =>
                {
                    instance.Dispose();
                    instance = await claim.TakeAsync(instance.Paths, manner, CancellationToken.None);
                },
            };
            return await new Daemon(daemon, instance, client, logs, _clock).RunAsync(ready, cancellationToken);
        }
    }

    private void Settle()
    {
        // Whoever submits a job says what others may do with its files: not whoever happened to start the server.
        _ = Posix.SetUmask(0);
        if (_detached)
        {
            // The terminal may close: that is what it was detached for.
            _ = Posix.SetSignalAction(Hangup, Posix.Ignore);
            Detachment.Leave();
        }
    }

    private DaemonOptions Options(string database)
    {
        ServerSettings settings = session.Configuration.Server;
        TimeSpan idle = options.IdleTimeout ?? settings.IdleTimeout ?? options.DefaultIdleTimeout;
        return new DaemonOptions
        {
            IdleTimeout = idle > TimeSpan.Zero ? idle : null,
            TakeAgain = () => Task.CompletedTask,
            Jobs = new JobTableOptions
            {
                Database = database,
                MaxJobs = options.MaxJobs ?? settings.MaxJobs,
                HistoryRetentionDays = settings.HistoryRetentionDays,
                DefaultFileMode = _fileMode,
                Settings = session.Configuration.Client,
                Redactor = session.Redactor,
            },
        };
    }
}
