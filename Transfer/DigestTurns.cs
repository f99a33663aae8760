using System.Collections.Concurrent;

namespace Pelican.Transfer;

/// <summary>
/// Who may ask a server for a digest now. XRootD computes only so many at once (<c>xrootd.chksum max</c>), and 5.5 lets a
/// question beyond them hang for 30 s: three at once to a server of "max 2" do it every time.
/// </summary>
internal sealed class DigestTurns(TimeProvider clock)
{
    private const int AtOnce = 2;

    /// <summary>A server further away than this has mostly finished one digest when the next question arrives.</summary>
    private static readonly TimeSpan Nearby = TimeSpan.FromMilliseconds(5);

    /// <summary>Answers that tell how far away a server is: the first ones wait for connections, and for a busy machine.</summary>
    private const int Telling = 8;

    private readonly ConcurrentDictionary<string, Server> _servers = new(StringComparer.OrdinalIgnoreCase);

    private sealed class Server
    {
        public SemaphoreSlim Turns { get; } = new(AtOnce);

        public int Answers { get; set; }

        public long Fastest { get; set; } = long.MaxValue;
    }

    /// <summary>Whether a server answers so fast that it may not be done with one question when the next one is there; of one that has hardly answered yet, yes.</summary>
    /// <param name="server">Host and port.</param>
    public bool IsNear(string server) => !_servers.TryGetValue(server, out Server? at) || IsNear(at);

    /// <summary>Asks when it is this question's turn.</summary>
    /// <param name="server">Host and port.</param>
    /// <param name="ask">The question.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<T> TakeAsync<T>(string server, Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        Server at = _servers.GetOrAdd(server, _ => new Server());
        bool takesTurns = IsNear(at);
        if (takesTurns)
        {
            await at.Turns.WaitAsync(cancellationToken);
        }

        try
        {
            long started = clock.GetTimestamp();
            T answer = await ask();
            at.Answers++;
            at.Fastest = Math.Min(at.Fastest, clock.GetTimestamp() - started);
            return answer;
        }
        finally
        {
            if (takesTurns)
            {
                at.Turns.Release();
            }
        }
    }

    private bool IsNear(Server at) => at.Answers < Telling || clock.GetElapsedTime(0, at.Fastest) < Nearby;
}
