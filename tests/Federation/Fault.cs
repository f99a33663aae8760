namespace Pelican.Federation;

/// <summary>What a fault does with a request: answers itself, or calls the server and spoils what it answers.</summary>
/// <param name="request">The request; its headers and body may be changed before the server sees them.</param>
/// <param name="next">The server, or the fault added before this one.</param>
/// <param name="cancellationToken">The server ends.</param>
public delegate Task<Reply> FaultScript(Request request, Func<Task<Reply>> next, CancellationToken cancellationToken);

/// <summary>A misbehaviour of a server.</summary>
/// <param name="match">Requests it applies to.</param>
/// <param name="act">What happens; see <see cref="FaultAction"/>.</param>
/// <param name="times">How often; by default always.</param>
public sealed class Fault(Func<Request, bool> match, FaultScript act, int times = int.MaxValue)
{
    private int _hits;

    /// <summary>How often it struck.</summary>
    public int Hits => Math.Min(Volatile.Read(ref _hits), times);

    internal FaultScript Act => act;

    internal bool Strikes(Request request) => match(request) && Interlocked.Increment(ref _hits) <= times;
}

/// <summary>The faults of a server; all that match a request apply, the one added last outermost.</summary>
public sealed class FaultList
{
    private readonly Lock _lock = new();
    private readonly List<Fault> _faults = [];

    public Fault Add(Fault fault)
    {
        lock (_lock)
        {
            _faults.Add(fault);
        }

        return fault;
    }

    /// <summary>Adds a fault for a method and a decoded path.</summary>
    public Fault Add(string method, string path, FaultScript act, int times = int.MaxValue) =>
        Add(new Fault(request => request.Is(method, path), act, times));

    /// <summary>Ends all faults.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _faults.Clear();
        }
    }

    internal Task<Reply> RunAsync(Request request, Func<Task<Reply>> server, CancellationToken cancellationToken)
    {
        Fault[] struck;
        lock (_lock)
        {
            struck = [.. _faults.Where(fault => fault.Strikes(request))];
        }

        Func<Task<Reply>> chain = server;
        foreach (Fault fault in struck)
        {
            Func<Task<Reply>> inner = chain;
            chain = () => fault.Act(request, inner, cancellationToken);
        }

        return chain();
    }
}
