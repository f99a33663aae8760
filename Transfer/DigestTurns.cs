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

    /// <summary>
    /// Nobody waits longer for a turn: two others may be at it for hours, if what they ask about is large. Who goes without has his own
    /// patience, and the server has its.
    /// </summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(3);

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

        /// <summary>Large objects have one turn between them, so that small ones never wait for one.</summary>
        public SemaphoreSlim LargeTurn { get; } = new(1);

        /// <summary>Connections without a question, longest at rest first; also the lock of all below.</summary>
        public Queue<Connection> Free { get; } = new();

        public int Connections { get; set; }

        public int Answers { get; set; }

        public int Heard { get; set; }

        public TimeSpan Nearest { get; set; } = TimeSpan.MaxValue;

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

    /// <summary>Notes how long a server took for an answer of any kind: it is no further away than that.</summary>
    public void Heard(string server, TimeSpan took)
    {
        Server at = At(server);
        lock (at.Free)
        {
            at.Heard++;
            at.Nearest = took < at.Nearest ? took : at.Nearest;
        }
    }

    /// <summary>Asks when it is this question's turn.</summary>
    /// <param name="server">Host and port.</param>
    /// <param name="stumbles">Whether it may be an XRootD that must not be asked on a connection in use.</param>
    /// <param name="size">Bytes of the object; null when unknown.</param>
    /// <param name="ask">The question, to be sent by the argument; by whatever is at hand if that is null.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<T> TakeAsync<T>(string server, bool stumbles, long? size, Func<HttpMessageInvoker?, Task<T>> ask, CancellationToken cancellationToken)
    {
        Server at = At(server);
        bool near = IsNear(at, at.Answers);
        bool takesTurns = near && IsNear(at, at.Heard);
        bool large = takesTurns && size is null or > Small && await TryWaitAsync(at.LargeTurn, cancellationToken);
        bool turn = false;
        Connection? connection = null;
        try
        {
            turn = takesTurns && await TryWaitAsync(at.Turns, cancellationToken);
            connection = near && stumbles ? await RestedAsync(at, cancellationToken) : null;
            long started = clock.GetTimestamp();
            T answer = await ask(connection?.Sender);
            // The first answer on a connection has waited for the connection as well.
            if (connection is not { Answered: null })
            {
                lock (at.Free)
                {
                    at.Answers++;
                }

                Heard(server, clock.GetElapsedTime(started));
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

            Release(turn, at.Turns);
            Release(large, at.LargeTurn);
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

    // As long as too few answers have told.
    private static bool IsNear(Server at, int answers)
    {
        lock (at.Free)
        {
            return answers < Telling || at.Nearest < Nearby;
        }
    }

    private async Task<bool> TryWaitAsync(SemaphoreSlim turns, CancellationToken cancellationToken)
    {
        if (turns.Wait(0, CancellationToken.None))
        {
            return true;
        }

        using CancellationTokenSource longEnough = new(LongestWait, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, longEnough.Token);
        try
        {
            await turns.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private static void Release(bool taken, SemaphoreSlim turns)
    {
        if (taken)
        {
            turns.Release();
        }
    }
}
