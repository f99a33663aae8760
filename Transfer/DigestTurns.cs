using System.Collections.Concurrent;

namespace Pelican.Transfer;

/// <summary>
/// Who may ask a server for a digest now, on which connection, and whether a GET may ask for it too. XRootD computes only so many at
/// once (<c>xrootd.chksum max</c>), and lets a question beyond them hang for 30 s: three at once to a 5.5 of "max 2" do it every time.
/// <para>
/// XRootD before 5.9.2 answers from another thread than the one that took the question, and that one may come back to the connection after
/// the answer is out. If the connection has another request by then, or is closed and its descriptor is a new client's, two threads serve
/// one connection: wrong answers, a crash, or a server that accepts nobody ever after, as its queue of work is torn (XRootD's issue 2602). So questions to such a
/// server have connections of their own, and those rest after an answer, neither used nor closed.
/// </para>
/// </summary>
/// <param name="connect">Makes what sends requests on a connection of its own.</param>
/// <param name="clock">Time.</param>
internal sealed class DigestTurns(Func<HttpMessageInvoker> connect, TimeProvider clock) : IDisposable
{
    private const int AtOnce = 2;

    /// <summary>A server further away than this is done with a question when the next request arrives.</summary>
    private static readonly TimeSpan Nearby = TimeSpan.FromMilliseconds(5);

    /// <summary>Answers that tell how far away a server is: the first ones wait for a busy machine.</summary>
    private const int Telling = 8;

    /// <summary>A thread that was interrupted has its turn again within this, however busy the server is.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(50);

    /// <summary>What 1 900 answers a second would need; whoever finds them all at rest waits.</summary>
    private const int MostConnections = 96;

    /// <summary>Connections of a process that closes them without waiting.</summary>
    private const int Few = 8;

    /// <summary>Bytes that anyone digests in no time, by whatever algorithm.</summary>
    public const long Small = 1024 * 1024;

    private readonly ConcurrentDictionary<string, Server> _servers = new(StringComparer.OrdinalIgnoreCase);

    private sealed class Connection(HttpMessageInvoker sender)
    {
        public HttpMessageInvoker Sender => sender;

        /// <summary>When it was last answered on; null before.</summary>
        public long? Answered { get; set; }
    }

    private sealed class Server
    {
        public SemaphoreSlim Turns { get; } = new(AtOnce);

        /// <summary>Connections without a question, longest at rest first; also the lock of all below.</summary>
        public Queue<Connection> Free { get; } = new();

        public int Connections { get; set; }

        public int Answers { get; set; }

        public long Fastest { get; set; } = long.MaxValue;

        public bool TellsWithObject { get; set; }

        public int SmallInARow { get; set; }
    }

    /// <summary>Notes whether a server can be asked for an object and its digest in one request.</summary>
    public void TellsWithObject(string server, bool tells) => At(server).TellsWithObject = tells;

    /// <summary>Notes the size of an object that a server sent.</summary>
    public void Sent(string server, long size)
    {
        Server at = At(server);
        at.SmallInARow = size <= Small ? at.SmallInARow + 1 : 0;
    }

    /// <summary>
    /// Whether a GET should ask for the digest too: of a small object, since the first byte waits until the digest is computed. An
    /// object of unknown size is taken to be like those before it.
    /// </summary>
    /// <param name="server">Host and port.</param>
    /// <param name="size">Bytes of the object; null when unknown.</param>
    public bool AsksWithObject(string server, long? size)
    {
        Server at = At(server);
        return at.TellsWithObject && (size is { } known ? known <= Small : at.SmallInARow >= Telling);
    }

    /// <summary>Asks when it is this question's turn.</summary>
    /// <param name="server">Host and port.</param>
    /// <param name="stumbles">Whether it may be an XRootD that must not be asked on a connection in use.</param>
    /// <param name="ask">The question, to be sent by the argument; by whatever is at hand if that is null.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<T> TakeAsync<T>(string server, bool stumbles, Func<HttpMessageInvoker?, Task<T>> ask, CancellationToken cancellationToken)
    {
        Server at = At(server);
        bool takesTurns = IsNear(at);
        if (takesTurns)
        {
            await at.Turns.WaitAsync(cancellationToken);
        }

        Connection? connection = null;
        try
        {
            connection = takesTurns && stumbles ? await RestedAsync(at, cancellationToken) : null;
            long started = clock.GetTimestamp();
            T answer = await ask(connection?.Sender);
            long answered = clock.GetTimestamp();
            lock (at.Free)
            {
                // The first answer on a connection has waited for the connection as well.
                if (connection is not { Answered: null })
                {
                    at.Answers++;
                    at.Fastest = Math.Min(at.Fastest, answered - started);
                }
            }

            return answer;
        }
        finally
        {
            if (connection is not null)
            {
                connection.Answered = clock.GetTimestamp();
                lock (at.Free)
                {
                    at.Free.Enqueue(connection);
                }
            }

            if (takesTurns)
            {
                at.Turns.Release();
            }
        }
    }

    /// <summary>
    /// Closes the connections. Whoever has asked much is the load that interrupts the server's threads, and waits until the last answers
    /// have rested; after a few questions that would cost more than it is worth.
    /// </summary>
    public void Dispose()
    {
        Connection[] free = [.. _servers.Values.SelectMany(at => at.Free)];
        if (free.Length > Few)
        {
            TimeSpan rested = free.Min(connection => clock.GetElapsedTime(connection.Answered!.Value));
            Thread.Sleep(rested < Rest ? Rest - rested : TimeSpan.Zero);
        }

        foreach (Connection connection in free)
        {
            connection.Sender.Dispose();
        }
    }

    private async Task<Connection> RestedAsync(Server at, CancellationToken cancellationToken)
    {
        Connection? next;
        TimeSpan wait;
        lock (at.Free)
        {
            wait = at.Free.TryPeek(out next) && next.Answered is { } answered ? Rest - clock.GetElapsedTime(answered) : TimeSpan.Zero;
            if (next is null || (wait > TimeSpan.Zero && at.Connections < MostConnections))
            {
                at.Connections++;
                return new Connection(connect());
            }

            at.Free.Dequeue();
        }

        if (wait > TimeSpan.Zero)
        {
            try
            {
                await Task.Delay(wait, clock, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                lock (at.Free)
                {
                    at.Free.Enqueue(next);
                }

                throw;
            }
        }

        return next;
    }

    private Server At(string server) => _servers.GetOrAdd(server, static _ => new Server());

    private bool IsNear(Server at)
    {
        lock (at.Free)
        {
            return at.Answers < Telling || clock.GetElapsedTime(0, at.Fastest) < Nearby;
        }
    }
}
