using System.Net;
using System.Net.Sockets;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class HappyEyeballsTests
{
    private static readonly HappyEyeballs Dialer = new(new ClientSettings(), TimeProvider.System);

    [Test]
    [Arguments("", "")]
    [Arguments("192.0.2.1", "192.0.2.1")]
    [Arguments("192.0.2.1 192.0.2.2", "192.0.2.1 192.0.2.2")]
    [Arguments("2001:db8::1 2001:db8::2 192.0.2.1", "2001:db8::1 192.0.2.1 2001:db8::2")]
    [Arguments("192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2", "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2")]
    [Arguments("2001:db8::1 192.0.2.1 192.0.2.2 192.0.2.3", "2001:db8::1 192.0.2.1 192.0.2.2 192.0.2.3")]
    public async Task Families_take_turns_and_keep_their_order(string addresses, string expected)
    {
        IPAddress[] mixed = HappyEyeballs.Interleave(Parse(addresses));

        await Assert.That(string.Join(' ', (IEnumerable<IPAddress>)mixed)).IsEqualTo(expected);
    }

    [Test]
    [Arguments("127.0.0.1")]
    [Arguments("localhost")]
    public async Task A_host_that_listens_is_reached(string host, CancellationToken cancellationToken)
    {
        using TcpListener listener = Listen();

        await using Stream stream = await Dialer.ConnectAsync(new DnsEndPoint(host, PortOf(listener)), cancellationToken);

        using TcpClient peer = await listener.AcceptTcpClientAsync(cancellationToken);
        await stream.WriteAsync("hi"u8.ToArray(), cancellationToken);
        await Assert.That(peer.GetStream().ReadByte()).IsEqualTo('h');
    }

    [Test]
    [Arguments("::1 127.0.0.1")]
    [Arguments("127.0.0.2 127.0.0.1")]
    [Arguments("::1 127.0.0.2 127.0.0.1 ::1")]
    public async Task A_dead_address_leads_to_the_next(string addresses, CancellationToken cancellationToken)
    {
        using TcpListener listener = Listen();

        await using Stream stream = await Dialer.RaceAsync(Parse(addresses), PortOf(listener), cancellationToken);

        using TcpClient peer = await listener.AcceptTcpClientAsync(cancellationToken);
        await Assert.That(peer.Connected).IsTrue();
    }

    [Test]
    public async Task Where_nobody_listens_the_last_refusal_is_told(CancellationToken cancellationToken)
    {
        // Bound, so that nobody else gets the port, but not listening.
        using Socket bound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)bound.LocalEndPoint!).Port;

        SocketException? error = await Assert.That(async () => await Dialer.RaceAsync(Parse("127.0.0.2 127.0.0.1"), port, cancellationToken))
            .Throws<SocketException>();

        await Assert.That(error!.SocketErrorCode).IsEqualTo(SocketError.ConnectionRefused);
    }

    [Test]
    public async Task A_host_without_an_address_is_not_found(CancellationToken cancellationToken)
    {
        SocketException? error = await Assert.That(async () => await Dialer.RaceAsync([], 443, cancellationToken)).Throws<SocketException>();

        await Assert.That(error!.SocketErrorCode).IsEqualTo(SocketError.HostNotFound);
    }

    [Test]
    public async Task Whoever_cancels_gets_no_connection()
    {
        using TcpListener listener = Listen();
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();

        await Assert.That(async () => await Dialer.RaceAsync(Parse("127.0.0.1 ::1"), PortOf(listener), cancelled.Token))
            .Throws<OperationCanceledException>();
    }

    private static TcpListener Listen()
    {
        TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    private static int PortOf(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    private static IPAddress[] Parse(string addresses) =>
        [.. addresses.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse)];
}
