using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using Pelican.Commands;

namespace Pelican.Tests.Commands;

public sealed class ConsoleStreamTests
{
    [Test]
    public async Task It_writes_where_the_descriptor_stands()
    {
        using TestShell shell = new();
        string path = shell.Write("out", "0123456789");
        using SafeFileHandle file = new(Posix.Open(path, Posix.OpenWriteOnly | Posix.OpenAppend, 0), ownsHandle: true);
        ConsoleStream first = new((int)file.DangerousGetHandle());
        ConsoleStream second = new((int)file.DangerousGetHandle());

        first.Write("ab"u8);
        second.Write("cd"u8);
        await first.WriteAsync("ef"u8.ToArray(), CancellationToken.None);

        await Assert.That(await File.ReadAllTextAsync(path)).IsEqualTo("0123456789abcdef");
        await Assert.That(first.Position).IsEqualTo(4);
    }

    [Test]
    public async Task A_reader_that_went_away_is_noticed()
    {
        using AnonymousPipeServerStream reader = new(PipeDirection.In);
        using SafePipeHandle writer = reader.ClientSafePipeHandle;
        ConsoleStream stream = new((int)writer.DangerousGetHandle());
        await Assert.That(stream.ReaderGone).IsFalse();
        reader.Close();

        IOException error = Assert.Throws<IOException>(() => stream.Write("x"u8));

        await Assert.That(stream.ReaderGone).IsTrue();
        await Assert.That(error.HResult).IsEqualTo(Posix.BrokenPipe);
    }

    [Test]
    public async Task A_reader_that_does_not_read_cannot_hold_a_cancelled_writer()
    {
        using AnonymousPipeServerStream reader = new(PipeDirection.In);
        using SafePipeHandle writer = reader.ClientSafePipeHandle;
        ConsoleStream stream = new((int)writer.DangerousGetHandle());
        using CancellationTokenSource source = new();

        Task write = stream.WriteAsync(new byte[10_000_000], source.Token).AsTask();
        await source.CancelAsync();

        await Assert.That(async () => await write).Throws<OperationCanceledException>();

        reader.Close();
        await stream.Abandoned;
    }
}
