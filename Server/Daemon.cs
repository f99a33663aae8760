using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>What a daemon is told when it starts.</summary>
internal sealed record DaemonOptions
{
    /// <summary>Socket from systemd; null to make one.</summary>
    public InstanceSocket? Inherited { get; init; }

    /// <summary>Time without requests and jobs after which it ends; null for never.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>About the jobs.</summary>
    public required JobTableOptions Jobs { get; init; }

    /// <summary>Gives the instance up and takes it anew, after its files were removed.</summary>
    public required Func<Task> TakeAgain { get; init; }

    /// <summary>How long stopping may take before the process ends all the same; what was written is safe at any moment.</summary>
    public TimeSpan StopLimit { get; init; } = TimeSpan.FromSeconds(20);
}

/// <summary>What is to be done when a run of the daemon has ended.</summary>
internal enum DaemonEnd
{
    /// <summary>Nothing more.</summary>
    Over,

    /// <summary>It has to run again: its files were removed under it, or a job came in at the last moment.</summary>
    Again,

    /// <summary>Another daemon has the instance. Nothing was stopped or closed, since every write would be to its files: the process must end as it is.</summary>
    Lost,
}

/// <summary>The Client API server: opens the jobs, listens, looks after its instance, and ends in order.</summary>
/// <param name="options">What it is told.</param>
/// <param name="instance">Its instance; given up by whoever took it, after the run.</param>
/// <param name="client">The federation.</param>
/// <param name="logs">Where log messages go.</param>
/// <param name="clock">Time.</param>
internal sealed partial class Daemon(
    DaemonOptions options, Instance instance, FederationClient client, ILoggerFactory logs, TimeProvider clock)
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(100);

    private readonly ILogger _log = logs.CreateLogger<Daemon>();
    private readonly DaemonActivity _activity = new(clock);
    private readonly TaskCompletionSource<Cause> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _start = clock.GetTimestamp();

    private enum Cause
    {
        Signal,
        Request,
        Idleness,
        FilesGone,
        Takeover,
    }

    /// <summary>Serves until it is told to stop, by a request or by the token, or has nothing to do any more.</summary>
    /// <param name="ready">Told once, when the socket answers.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PelicanException">It could not start, or not go on.</exception>
    public async Task<DaemonEnd> RunAsync(Action<InstanceRecord> ready, CancellationToken cancellationToken)
    {
        JobTable jobs = JobTable.Open(options.Jobs, client, logs, clock);
        InstanceDatabase? database = null;
        DaemonFront? front = null;
        Cause cause = Cause.Request;
        DaemonEnd end = DaemonEnd.Over;
        try
        {
            database = InstanceDatabase.Hold(options.Jobs.Database);
            front = await ListenAsync(options.Inherited ?? InstanceSocket.Bind(instance.Paths.Socket), jobs, cancellationToken);
            Log.Serves(_log, instance.Record.Version, instance.Paths.Socket, instance.Paths.Database);
            ready(instance.Record);
            using CancellationTokenRegistration signal = cancellationToken.Register(() => _end.TrySetResult(Cause.Signal));
            cause = await KeepAsync();
        }
        finally
        {
            if (cause != Cause.Takeover)
            {
                end = await StopAsync(cause, jobs, front, database);
            }
        }

        return cause == Cause.Takeover ? DaemonEnd.Lost : end;

        // Until something ends it: looks after the instance, its socket, and the time without work.
        async Task<Cause> KeepAsync()
        {
            long renewed = clock.GetTimestamp();
            TimeSpan interval = Interval();
            while (await Task.WhenAny(_end.Task, Task.Delay(interval, clock, CancellationToken.None)) != _end.Task)
            {
                if (options.IdleTimeout is { } limit && jobs.ActiveJobs == 0 && _activity.IdleFor >= limit)
                {
                    _end.TrySetResult(Cause.Idleness);
                }
                else if (clock.GetElapsedTime(renewed) >= InstanceClaim.RenewalInterval - interval / 2)
                {
                    renewed = clock.GetTimestamp();
                    front = await RenewAsync(jobs, front, database);
                }
            }

            Cause told = await _end.Task;
            string why = Why(told);
            Log.Stops(_log, why);
            return told;
        }
    }

    private static string Why(Cause cause) => cause switch
    {
        Cause.Signal => "a signal came",
        Cause.Request => "it was asked to",
        Cause.Idleness => "there is nothing to do",
        Cause.FilesGone => "its files have to be made again",
        _ => "another server has taken over its files",
    };

    private TimeSpan Interval()
    {
        TimeSpan idle = options.IdleTimeout / 4 ?? InstanceClaim.RenewalInterval;
        return idle < ShortestInterval ? ShortestInterval : idle < InstanceClaim.RenewalInterval ? idle : InstanceClaim.RenewalInterval;
    }

    private async Task<DaemonFront> RenewAsync(JobTable jobs, DaemonFront front, InstanceDatabase database)
    {
        if (database.IsGone || !instance.IsLocked)
        {
            Log.FilesGone(_log, instance.Paths.Database);
            _end.TrySetResult(Cause.FilesGone);
        }
        else if (!instance.Renew())
        {
            _end.TrySetResult(Cause.Takeover);
        }
        else if (!front.Socket.IsThere && SystemCalls.Status(instance.Paths.Socket) is null)
        {
            Log.SocketGone(_log, instance.Paths.Socket);
            try
            {
                DaemonFront next = await ListenAsync(InstanceSocket.Bind(instance.Paths.Socket), jobs, CancellationToken.None);
                await front.DisposeAsync();
                return next;
            }
            catch (PelicanException e)
            {
                // The filesystem is read-only by now, perhaps: it may be better the next time.
                Log.NoSocket(_log, e.Message);
            }
        }

        return front;
    }

    private Task<DaemonFront> ListenAsync(InstanceSocket socket, JobTable jobs, CancellationToken cancellationToken)
    {
        ApiRouter routes = new();
        routes.Map(DaemonActivity.HealthPath, (HttpMethods.Get, context => ApiErrors.Json(HealthNow(), PelicanJson.Output.Health).ExecuteAsync(context)));
        routes.Map("/shutdown", (HttpMethods.Post, AnswerAndEnd));
        routes.MapClientApi(jobs, client, logs);
        return DaemonFront.StartAsync(socket, logs, context => _activity.CountAsync(context, routes.RouteAsync), cancellationToken);
    }

    private Task AnswerAndEnd(HttpContext context)
    {
        context.Response.OnCompleted(() =>
        {
            _end.TrySetResult(Cause.Request);
            return Task.CompletedTask;
        });
        return ApiErrors.Json(new MessageAnswer("Server shutdown initiated"), PelicanJson.Output.MessageAnswer).ExecuteAsync(context);
    }

    private Health HealthNow() => new()
    {
        Status = "ok",
        Version = instance.Record.Version,
        UptimeSeconds = (long)clock.GetElapsedTime(_start).TotalSeconds,
        Pid = instance.Record.Pid,
        Host = instance.Record.Host,
        Database = instance.Record.Database,
    };

    // Work first: that ends the requests which wait for it. The instance is given up last, by its owner, when nothing is written any more.
    private async Task<DaemonEnd> StopAsync(Cause cause, JobTable jobs, DaemonFront? front, InstanceDatabase? database)
    {
        try
        {
            return await StopInOrderAsync().WaitAsync(options.StopLimit, clock);
        }
        catch (TimeoutException)
        {
            Log.TooSlow(_log, options.StopLimit.TotalSeconds);
            front?.Socket.Dispose();
            return DaemonEnd.Over;
        }

        async Task<DaemonEnd> StopInOrderAsync()
        {
            await jobs.PauseAsync(CancellationToken.None);
            if (front is not null)
            {
                await front.DisposeAsync();
            }

            bool again = cause == Cause.FilesGone || (cause == Cause.Idleness && jobs.ActiveJobs > 0);
            if (cause == Cause.FilesGone)
            {
                // First of all, so that nobody else begins with an empty database meanwhile.
                await options.TakeAgain();
            }

            await jobs.DisposeAsync();
            if (cause == Cause.FilesGone)
            {
                database!.PutBack();
            }

            database?.Dispose();
            return again ? DaemonEnd.Again : DaemonEnd.Over;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Client API server {Version} listens on {Socket}; its jobs are in {Database}.")]
        public static partial void Serves(ILogger log, string version, string socket, string database);

        [LoggerMessage(Level = LogLevel.Information, Message = "Client API server stops: {Why}. Unfinished jobs go on when it is started again.")]
        public static partial void Stops(ILogger log, string why);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Somebody removed {Database}, or the lock beside it: they are made again, with all jobs.")]
        public static partial void FilesGone(ILogger log, string database);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Somebody removed {Socket}: it is made again.")]
        public static partial void SocketGone(ILogger log, string socket);

        [LoggerMessage(Level = LogLevel.Error, Message = "The socket cannot be made again: {Why}")]
        public static partial void NoSocket(ILogger log, string why);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Not everything has come to rest within {Seconds} s; it ends all the same.")]
        public static partial void TooSlow(ILogger log, double seconds);
    }
}
