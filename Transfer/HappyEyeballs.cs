using System.Net;
using System.Net.Sockets;

namespace Pelican.Transfer;

/// <summary>Opens TCP connections, racing the addresses of a host (RFC 8305): a dead address family costs a quarter second.</summary>
internal sealed class HappyEyeballs(ClientSettings settings, TimeProvider clock)
{
    private static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Connects to the first address that answers.</summary>
    /// <exception cref="SocketException">No address answered; the last failure.</exception>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint endPoint, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = IPAddress.TryParse(endPoint.Host, out IPAddress? literal)
            ? [literal]
            : Interleave(await Dns.GetHostAddressesAsync(endPoint.Host, cancellationToken));
        return await RaceAsync(addresses, endPoint.Port, cancellationToken);
    }

    /// <summary>Connects to the first of these addresses that answers, starting with them in their order.</summary>
    internal async Task<Stream> RaceAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        using var race = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task<Socket>> running = [];
        Exception last = new SocketException((int)SocketError.HostNotFound);
        int next = 0;
        try
        {
            while (next < addresses.Length || running.Count > 0)
            {
                if (next < addresses.Length)
                {
                    running.Add(ConnectOneAsync(addresses[next++], port, race.Token));
                }

                Task<Socket>? done = await FirstAsync(running, next < addresses.Length, race.Token);
                if (done is null)
                {
                    continue;
                }

                running.Remove(done);
                try
                {
                    return new ReadAheadStream(await done);
                }
                catch (SocketException e)
                {
                    last = e;
                }
            }
        }
        finally
        {
            await race.CancelAsync();
            foreach (Task<Socket> loser in running)
            {
                _ = loser.ContinueWith(static t => { if (t.IsCompletedSuccessfully) { t.Result.Dispose(); } else { _ = t.Exception; } },
                    CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }

        throw last;
    }

    /// <summary>Alternates the families, starting with that of the first address (RFC 8305, section 4).</summary>
    internal static IPAddress[] Interleave(IPAddress[] addresses)
    {
        if (addresses.Length < 2)
        {
            return addresses;
        }

        AddressFamily first = addresses[0].AddressFamily;
        IPAddress[] preferred = [.. addresses.Where(a => a.AddressFamily == first)];
        IPAddress[] others = [.. addresses.Where(a => a.AddressFamily != first)];
        List<IPAddress> mixed = [];
        for (int i = 0; i < Math.Max(preferred.Length, others.Length); i++)
        {
            mixed.AddRange(preferred.Skip(i).Take(1));
            mixed.AddRange(others.Skip(i).Take(1));
        }

        return [.. mixed];
    }

    private async Task<Task<Socket>?> FirstAsync(List<Task<Socket>> running, bool moreToTry, CancellationToken cancellationToken)
    {
        if (!moreToTry)
        {
            return await Task.WhenAny(running);
        }

        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task delay = Task.Delay(AttemptDelay, clock, timer.Token);
        Task first = await Task.WhenAny([.. running, delay]);
        await timer.CancelAsync();
        return first as Task<Socket>;
    }

    private async Task<Socket> ConnectOneAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using CancellationTokenSource limit = new(settings.DialerTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            int seconds = Math.Max(1, (int)settings.DialerKeepAlive.TotalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, seconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, seconds);
            await socket.ConnectAsync(new IPEndPoint(address, port), either.Token);
            return socket;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
