using System.Globalization;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>What was found out about a server.</summary>
/// <param name="Socket">Where it answers, or would.</param>
/// <param name="Health">What it says of itself; null when it says nothing.</param>
/// <param name="Record">What is written about it, or about another host's; null for nothing.</param>
/// <param name="Alive">Whether its process is there, on this host.</param>
internal sealed record DaemonState(string Socket, Health? Health, InstanceRecord? Record, bool Alive)
{
    /// <summary>What is written about a server on another host; null when there is none, or one here.</summary>
    public InstanceRecord? Elsewhere => Alive ? null : Record;

    /// <summary>Its process, which may be on another host; null when there is none.</summary>
    public int? Pid => Health?.Pid ?? Record?.Pid;
}

/// <summary>Finds a running daemon, and ends it.</summary>
/// <param name="paths">Files of the instance.</param>
/// <param name="socketChosen">Whether the user named the socket: then no other will do.</param>
/// <param name="host">This host.</param>
/// <param name="clock">Time to wait by.</param>
internal sealed class DaemonControl(InstancePaths paths, bool socketChosen, HostIdentity host, TimeProvider clock)
{
    private const int Terminate = 15;
    private const int Continue = 18;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Asks it how it is; where it does not answer, looks for its process.</summary>
    public async Task<DaemonState> FindAsync(CancellationToken cancellationToken)
    {
        InstanceRecord? record = Instance.Read(paths.Record);
        if (socketChosen && record?.Socket != paths.Socket)
        {
            record = null;
        }

        bool alive = record is not null && host.Runs(record);
        if (!alive && record?.Host == host.Name)
        {
            // What a dead one left.
            record = null;
        }

        string socket = alive ? record!.Socket : paths.Socket;
        using ApiClient client = Client(socket);
        try
        {
            return new DaemonState(socket, await client.HealthAsync(cancellationToken), record, true);
        }
        catch (ApiException e)
        {
            return e.Fault == ApiFault.NotRunning || alive ? new DaemonState(socket, null, record, alive) : throw Unresponsive(e.Message, e);
        }
    }

    /// <summary>Ends it: by a request, else by a signal.</summary>
    /// <param name="limit">Longest time until the process is gone.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What was found; it is gone now, if it was alive.</returns>
    /// <exception cref="PelicanException"><see cref="Errors.ServerUnresponsive"/>: it is still there.</exception>
    public async Task<DaemonState> StopAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        DaemonState state = await FindAsync(cancellationToken);
        if (!state.Alive)
        {
            return state;
        }

        int process = state.Pid!.Value;
        // A process of another container has a number that means something else here.
        long? start = state.Health is { } health && health.Host != host.Name ? null : BootMark.StartTicks(process);
        if (state.Health is null || !await AskToEndAsync(state.Socket, cancellationToken))
        {
            if (state.Record is not { } record || !host.Runs(record))
            {
                throw Unresponsive("Client API server does not answer, and which process it is cannot be told", null);
            }

            _ = SystemCalls.Kill(record.Pid, Terminate);
            // One that was suspended cannot follow.
            _ = SystemCalls.Kill(record.Pid, Continue);
        }

        long asked = clock.GetTimestamp();
        while (start is null ? InstanceSocket.Answers(state.Socket) || IsOf(state.Record) : BootMark.StartTicks(process) == start)
        {
            if (clock.GetElapsedTime(asked) > limit)
            {
                throw Unresponsive(string.Create(CultureInfo.InvariantCulture,
                    $"Client API server (PID: {process}) has not ended within {limit.TotalSeconds:0.#} s"), null);
            }

            await Task.Delay(Interval, clock, cancellationToken);
        }

        return state;
    }

    // The record is the last thing that a server leaves.
    private bool IsOf(InstanceRecord? record) => record is not null && Instance.Read(paths.Record)?.Id == record.Id;

    private async Task<bool> AskToEndAsync(string socket, CancellationToken cancellationToken)
    {
        using ApiClient client = Client(socket);
        try
        {
            await client.ShutdownAsync(cancellationToken);
            return true;
        }
        catch (ApiException)
        {
            return false;
        }
    }

    private ApiClient Client(string socket) => new(new ApiClientOptions { Socket = ApiSocket.At(socket), Clock = clock });

    private static PelicanException Unresponsive(string what, ApiException? inner) => new(
        Errors.ServerUnresponsive, what,
        inner is { Fault: ApiFault.Denied or ApiFault.Unreachable or ApiFault.Foreign, Detail: { } detail } ? detail
            : "It may be bringing transfers to rest. 'kill -9' ends it at once; its jobs go on at the next start.", inner);
}
