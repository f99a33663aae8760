using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>
/// The published executable under requests that are wrong in many ways. <c>PELICAN_FUZZ</c> says how many (3000), <c>PELICAN_SEED</c> repeats a run.
/// </summary>
public sealed class ApiFuzzPublishedTests
{
    private const int Clients = 8;
    private const long RoomBytes = 48L * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly int _seed = Setting("PELICAN_SEED") ?? Environment.TickCount;
    private readonly int _count = Setting("PELICAN_FUZZ") ?? 3000;

    [Test, Timeout(3_600_000)]
    public async Task No_request_breaks_it_or_leaves_anything_behind(CancellationToken cancellationToken)
    {
        await using ApiDaemon daemon = await new ApiDaemon().StartedAsync();
        daemon.Federation.Origin.Store("/public/a", Bytes.Random(1000));
        string job = await daemon.GetAsync("/public/a", "a", cancellationToken);
        await daemon.EndAsync(job, cancellationToken);
        // A first part brings everything to the size that it needs.
        List<string> faults = await SendAsync(daemon, job, _count / 5, _seed, cancellationToken);
        int descriptors = Descriptors(daemon);
        long memory = Resident(daemon);

        faults.AddRange(await SendAsync(daemon, job, _count, _seed + Clients, cancellationToken));
        await Expect.UntilAsync(() => Descriptors(daemon) <= descriptors + Clients, cancellationToken);
        long grown = Resident(daemon) - memory;
        string next = await daemon.GetAsync("/public/a", "b", cancellationToken);
        JsonElement end = await daemon.EndAsync(next, cancellationToken);
        int descriptorsNow = Descriptors(daemon);
        Console.WriteLine(FormattableString.Invariant(
            $"seed {_seed}: {_count} requests; descriptors {descriptors}, then {descriptorsNow}; memory {memory >> 20} MiB, then {(memory + grown) >> 20} MiB"));

        await Assert.That(faults).IsEmpty();
        await Assert.That(end.GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(grown).IsLessThan(RoomBytes);
        await daemon.StopAsync();
        string log = await File.ReadAllTextAsync(daemon.Home + "/.pelican/client-api.log", cancellationToken) + daemon.Said;
        await Assert.That(log).DoesNotContain("fault of this program").And.DoesNotContain("unhandled").And.DoesNotContain("Unhandled");
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    private static int Descriptors(ApiDaemon daemon) => Directory.GetFileSystemEntries($"/proc/{daemon.Pid}/fd").Length;

    private static long Resident(ApiDaemon daemon) =>
        long.Parse(File.ReadAllText($"/proc/{daemon.Pid}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    private static async Task<List<string>> SendAsync(ApiDaemon daemon, string job, int count, int seed, CancellationToken cancellationToken)
    {
        List<Socket> hanging = [];
        List<string>[] faults = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => SendSomeAsync(seed + client))));
        hanging.ForEach(socket => socket.Dispose());
        return [.. faults.SelectMany(some => some)];

        async Task<List<string>> SendSomeAsync(int own)
        {
            ApiFuzzer fuzzer = new(new Random(own), daemon.Federation.DiscoveryHost, job);
            List<string> wrong = [];
            for (int i = 0; i < count / Clients; i++)
            {
                FuzzRequest request = fuzzer.Next();
                Socket socket = await daemon.ConnectAsync(cancellationToken);
                string answer = await ExchangeAsync(socket, request, cancellationToken);
                if (request.End == FuzzEnd.Hang)
                {
                    lock (hanging)
                    {
                        hanging.Add(socket);
                    }
                }
                else
                {
                    socket.Dispose();
                }

                if (Fault(answer) is { } fault)
                {
                    wrong.Add($"{fault}: {Encoding.Latin1.GetString(request.Bytes.AsSpan()[..Math.Min(request.Bytes.Length, 600)])} -> {answer}");
                }
            }

            return wrong;
        }
    }

    private static async Task<string> ExchangeAsync(Socket socket, FuzzRequest request, CancellationToken cancellationToken)
    {
        StringBuilder answer = new();
        try
        {
            await socket.SendAsync(request.Bytes, cancellationToken);
            if (request.End == FuzzEnd.Complete)
            {
                using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                enough.CancelAfter(Patience);
                byte[] block = new byte[16 * 1024];
                while (await socket.ReceiveAsync(block, enough.Token) is > 0 and int read)
                {
                    answer.Append(Encoding.Latin1.GetString(block, 0, read));
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The server waits for more than there is, as it should.
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted)
        {
            // Refused before all had been sent.
        }

        return answer.ToString();
    }

    // An error has a body with a code, and an error of the server's own has a cause outside of it. No answer at all is one to what is no request.
    private static string? Fault(string answer)
    {
        string head = answer.Split("\r\n\r\n")[0];
        bool isError = head.StartsWith("HTTP/1.1 4", StringComparison.Ordinal) || head.StartsWith("HTTP/1.1 5", StringComparison.Ordinal);
        bool hasBody = answer.Length > head.Length + 4;
        return answer.Contains("INTERNAL_ERROR", StringComparison.Ordinal) ? "internal error"
            : isError && hasBody && !answer.Contains("\"code\":\"", StringComparison.Ordinal) ? "no code"
            : head.StartsWith("HTTP/1.1 500", StringComparison.Ordinal) && !answer.Contains("TRANSFER_FAILED", StringComparison.Ordinal) ? "500 without cause"
            : null;
    }
}
