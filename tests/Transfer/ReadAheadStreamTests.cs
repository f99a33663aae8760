using System.Net;
using System.Net.Sockets;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class ReadAheadStreamTests : IDisposable
{
    private const int LargeBytes = 3_000_000;

    private readonly Socket _peer;
    private readonly ReadAheadStream _stream;

    public ReadAheadStreamTests()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Socket own = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        own.Connect(listener.LocalEndPoint!);
        _peer = listener.Accept();
        _stream = new ReadAheadStream(own);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _peer.Dispose();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task What_was_sent_arrives_in_its_order_whatever_is_asked_for(bool ownThread, CancellationToken cancellationToken)
    {
        byte[] content = Bytes.Random(LargeBytes);
        Task sending = Task.Run(async () =>
        {
            Random random = new(1);
            for (int at = 0; at < content.Length;)
            {
                at += await _peer.SendAsync(content.AsMemory(at, Math.Min(random.Next(1, 200_000), content.Length - at)), cancellationToken);
            }

            _peer.Shutdown(SocketShutdown.Send);
        }, cancellationToken);
        using MemoryStream received = new();

        await RunAsync(ownThread, async () =>
        {
            Random random = new(2);
            byte[] buffer = new byte[100_000];
            while (true)
            {
                await Assert.That(await _stream.ReadAsync(Memory<byte>.Empty, cancellationToken)).IsEqualTo(0);
                int read = await _stream.ReadAsync(buffer.AsMemory(0, random.Next(1, random.Next(2) == 0 ? 100 : buffer.Length)), cancellationToken);
                if (read == 0)
                {
                    break;
                }

                received.Write(buffer, 0, read);
            }

            await Assert.That(await _stream.ReadAsync(buffer, cancellationToken)).IsEqualTo(0);
        });

        await sending;
        await Assert.That(received.ToArray().AsSpan().SequenceEqual(content)).IsTrue();
    }

    [Test]
    public async Task After_a_large_answer_a_single_byte_is_not_waited_for_in_vain(CancellationToken cancellationToken)
    {
        await RunAsync(ownThread: true, async () =>
        {
            byte[] buffer = new byte[16_000];
            Task sending = SendAsync(LargeBytes, cancellationToken);
            await ReadAsync(LargeBytes - 1, cancellationToken);
            await sending;
            await Assert.That(await _stream.ReadAsync(buffer, cancellationToken)).IsEqualTo(1);

            // In the wait for more than that, and after it was given up.
            _peer.Send([7]);
            await Assert.That(await _stream.ReadAsync(buffer, cancellationToken)).IsEqualTo(1);
            ValueTask<int> waiting = _stream.ReadAsync(buffer, cancellationToken);
            await Assert.That(waiting.IsCompleted).IsFalse();
            _peer.Send([8]);
            await Assert.That(await waiting).IsEqualTo(1);
            await Assert.That(buffer[0]).IsEqualTo((byte)8);
        });
    }

    [Test]
    public async Task Who_waits_for_a_silent_peer_can_be_cancelled(CancellationToken cancellationToken)
    {
        await RunAsync(ownThread: true, async () =>
        {
            Task sending = SendAsync(LargeBytes, cancellationToken);
            await ReadAsync(LargeBytes, cancellationToken);
            await sending;
            using CancellationTokenSource stop = new();
            ValueTask<int> waiting = _stream.ReadAsync(new byte[1], stop.Token);
            await stop.CancelAsync();

            await Assert.That(async () => await waiting).Throws<OperationCanceledException>();
        });
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_connection_that_was_reset_is_said_to_be(bool ownThread, CancellationToken cancellationToken)
    {
        _peer.LingerState = new LingerOption(true, 0);
        _peer.Close();

        await RunAsync(ownThread, async () =>
        {
            IOException? error = await Assert.That(async () => await _stream.ReadAsync(new byte[10], cancellationToken)).Throws<IOException>();

            await Assert.That((error!.InnerException as SocketException)?.SocketErrorCode).IsEqualTo(SocketError.ConnectionReset);
        });
    }

    private Task SendAsync(int length, CancellationToken cancellationToken) => Task.Run(async () =>
    {
        ReadOnlyMemory<byte> rest = new byte[length];
        while (!rest.IsEmpty)
        {
            rest = rest[await _peer.SendAsync(rest, cancellationToken)..];
        }
    }, cancellationToken);

    // As TLS does: asks whether there is something, then for a record.
    private async Task ReadAsync(int length, CancellationToken cancellationToken)
    {
        byte[] record = new byte[16_406];
        while (length > 0)
        {
            length -= await _stream.ReadAsync(Memory<byte>.Empty, cancellationToken);
            length -= await _stream.ReadAsync(record.AsMemory(0, Math.Min(record.Length, length)), cancellationToken);
        }
    }

    private static Task RunAsync(bool ownThread, Func<Task> work) => ownThread
        ? Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()
        : Task.Run(work);
}
