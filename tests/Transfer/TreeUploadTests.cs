using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Directories with everything in them.</summary>
public sealed partial class TreeUploadTests
{
    private static readonly byte[] Content = Bytes.Random(1234);

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task A_tree_arrives_flat_with_its_empty_directories(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
        using TestClient client = new(federation);
        string[] names = ["a b", "pc%41", "x#y", "sub/ü", "sub/deep/&<>", "sub/.hidden", "中/文", "sub 2/-x", "back\\slash"];
        foreach ((int i, string name) in names.Index())
        {
            client.Write("src/" + name, Bytes.Random(100 + i, i));
        }

        Directory.CreateDirectory(client.File("src/empty/inner"));

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree?recursive", cancellationToken);

        await Assert.That(result.Failure?.Message).IsNull();
        foreach ((int i, string name) in names.Index())
        {
            await Assert.That(federation.Origin.Load("/demo/tree/" + name).AsSpan().SequenceEqual(Bytes.Random(100 + i, i))).IsTrue();
        }

        await Assert.That(Directory.Exists(federation.Origin.FileOf("/demo/tree/empty/inner"))).IsTrue();
        await Assert.That((result.Objects, result.TotalObjects, result.Bytes, result.Collections, result.LeftOut)).IsEqualTo((9, 9, 936, 7, 0));
    }

    [Test]
    public async Task A_name_that_XRootD_would_cut_never_touches_the_object_of_the_shorter_name(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Xrootd62] });
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/tree/q", "precious");
        federation.Origin.Store("/demo/tree/d/x", "precious");
        client.Write("src/q?mark", Content);
        client.Write("src/q\nline", Content);
        client.Write("src/d?mark/x", Content);

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken, new() { Overwrite = true });

        await Assert.That((result.Objects, result.Failed, result.Failure?.Row)).IsEqualTo((0, 3, Errors.NotSupported));
        await Assert.That(federation.Origin.Requests.Any(r => r.Method is "PUT" or "DELETE" or "MKCOL")).IsFalse();
        await Assert.That(federation.Origin.Load("/demo/tree/q").Length).IsEqualTo("precious".Length);
    }

    [Test]
    public async Task Into_a_new_collection_costs_no_question_for_each_object(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        for (int i = 0; i < 500; i++)
        {
            client.Write($"src/{i % 5}/{i}", Bytes.Random(40, i));
        }

        TreeResult result = await client.PutTreeAsync("src/", "/demo/tree", cancellationToken);

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That(result.Objects).IsEqualTo(500);
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PROPFIND")).IsEqualTo(1);
        await Assert.That(federation.Director.Requests.Count(r => r.Method == "PUT")).IsEqualTo(1);
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task What_exists_is_replaced_only_if_asked(bool overwrite, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/tree/sub/a", "old");
        client.Write("src/sub/a", Content);
        client.Write("src/b", Content);

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken, new() { Overwrite = overwrite });

        await Assert.That(result.Failure?.Row).IsEqualTo(overwrite ? null : Errors.AlreadyExists);
        await Assert.That(result.Objects).IsEqualTo(overwrite ? 2 : 1);
        await Assert.That(federation.Origin.Load("/demo/tree/sub/a").Length).IsEqualTo(overwrite ? 1234 : 3);
        await Assert.That(federation.Origin.Load("/demo/tree/b").Length).IsEqualTo(1234);
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task Running_it_again_sends_what_is_missing_and_fails_nothing(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
        using TestClient client = new(federation);
        client.Write("src/a", Content);
        client.Write("src/empty", []);
        client.Write("src/sub/b", Bytes.Random(99));
        await client.PutTreeAsync("src", "/demo/tree", cancellationToken);
        client.Write("src/sub/new", Bytes.Random(5));
        File.Delete(federation.Origin.FileOf("/demo/tree/a"));
        ConcurrentBag<TreeOutcome> outcomes = [];

        TreeResult again = await client.PutTreeAsync("src", "/demo/tree", cancellationToken, listener: new() { Ended = outcomes.Add });

        await Assert.That(again).IsEqualTo(again with { Objects = 4, Already = 2, AlreadyBytes = 99, Bytes = 1338, TotalBytes = 1338, Failed = 0, Failure = null });
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(5);
        TransferResult there = outcomes.Single(o => o.Item.Path == "sub/b").Result!;
        await Assert.That((there.WasThere, there.Size, there.ResumedFrom, there.Verification)).IsEqualTo((true, 99, 99, Verification.Verified));
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task What_is_there_and_differs_is_a_failure_or_replaced_if_asked(bool overwrite, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("src/same", Content);
        client.Write("src/size", Content);
        client.Write("src/bytes", Content);
        federation.Origin.Store("/demo/tree/same", Content);
        federation.Origin.Store("/demo/tree/size", "old");
        federation.Origin.Store("/demo/tree/bytes", Bytes.Random(1234, 8));
        ConcurrentDictionary<string, PelicanException?> ended = [];

        TreeResult result = await client.PutTreeAsync(
            "src", "/demo/tree", cancellationToken, new() { Overwrite = overwrite }, new() { Ended = o => ended[o.Item.Path] = o.Failure });

        await Assert.That((result.Objects, result.Already, result.Failed)).IsEqualTo(overwrite ? (3, 1, 0) : (1, 1, 2));
        await Assert.That(federation.Origin.Load("/demo/tree/bytes").AsSpan().SequenceEqual(Content)).IsEqualTo(overwrite);
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "PUT" && r.Path == "/demo/tree/same")).IsFalse();
        if (!overwrite)
        {
            await Assert.That(ended["size"]!.Message).Contains("(3 bytes, the file has 1234); nothing was sent");
            await Assert.That(ended["bytes"]!.Message).Contains("(1234 bytes, md5 is ");
            await Assert.That(federation.Origin.Requests.Any(r => r.Method == "HEAD" && r.Path == "/demo/tree/size")).IsFalse();
        }
    }

    [Test]
    public async Task Without_a_digest_nothing_is_called_the_same(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.HasDigests = false;
        federation.Origin.Store("/demo/tree/a", Content);
        client.Write("src/a", Content);

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken);

        await Assert.That((result.Already, result.Failure!.Row)).IsEqualTo((0, Errors.AlreadyExists));
        await Assert.That(result.Failure.Message).Contains("(1234 bytes, ").And.Contains("digest");
    }

    [Test]
    public async Task A_digest_that_the_server_kept_from_an_object_before_proves_nothing(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Xrootd62] });
        using TestClient client = new(federation);
        client.Write("src/a", Content);
        await client.PutTreeAsync("src", "/demo/tree", cancellationToken);
        DateTime time = File.GetLastWriteTimeUtc(federation.Origin.FileOf("/demo/tree/a"));
        federation.Origin.Store("/demo/tree/a", Bytes.Random(1234, 8), time);

        TreeResult again = await client.PutTreeAsync("src", "/demo/tree", cancellationToken);

        await Assert.That((again.Already, again.Failure?.Row)).IsEqualTo((0, Errors.AlreadyExists));
    }

    [Test]
    public async Task What_goes_while_it_is_compared_is_sent(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/tree/a", Content);
        client.Write("src/a", Content);
        federation.Origin.Faults.Add(new Fault(r => r.Is("HEAD", "/demo/tree/a"), (_, next, _) =>
        {
            File.Delete(federation.Origin.FileOf("/demo/tree/a"));
            return next();
        }, times: 1));

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken);

        await Assert.That((result.Objects, result.Already, result.Failure?.Message)).IsEqualTo((1, 0, null));
        await Assert.That(federation.Origin.Load("/demo/tree/a").Length).IsEqualTo(1234);
    }

    [Test]
    public async Task A_file_that_grew_after_it_was_found_counts_as_it_was_sent(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation, new() { WorkerCount = 1 });
        client.Write("src/a", Content);
        TreeListener listener = new()
        {
            IsDone = _ =>
            {
                client.Write("src/a", Bytes.Random(5000));
                return false;
            },
        };

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken, listener: listener);

        await Assert.That((result.Bytes, result.TotalBytes, result.Failure?.Message)).IsEqualTo((5000, 5000, null));
    }

    [Test]
    public async Task A_name_that_is_not_UTF8_is_called_that(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("src/a", Content);
        byte[] name = [.. Encoding.UTF8.GetBytes(client.File("src/caf")), 0xE9, 0];
        _ = MakePipe(name, 0b110_000_000);

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken);
        _ = Unlink(name);

        await Assert.That((result.Objects, result.Failed)).IsEqualTo((1, 1));
        await Assert.That(result.Failure!.Message).Contains("the name has bytes that are not UTF-8");
    }

    [Test]
    public async Task A_deep_tree_makes_the_round_trip(CancellationToken cancellationToken)
    {
        const int levels = 500;
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("src/" + string.Concat(Enumerable.Repeat("d/", levels)) + "a", Content);

        TreeResult put = await client.PutTreeAsync("src", "/demo/tree", cancellationToken);
        TreeResult get = await client.GetTreeAsync("/demo/tree", "got", cancellationToken);
        TreeResult gone = await client.DeleteTreeAsync("/demo/tree", cancellationToken);

        await Assert.That((put.Objects, put.Failure?.Message)).IsEqualTo((1, null));
        await Assert.That((get.Collections, get.Failure?.Message)).IsEqualTo((levels + 1, null));
        await Assert.That((gone.Objects, gone.Collections)).IsEqualTo((1, levels + 1));
        await Assert.That(File.Exists(client.File("got/" + string.Concat(Enumerable.Repeat("d/", levels)) + "a"))).IsTrue();
    }

    [Test]
    public async Task An_old_listing_is_no_proof_that_nothing_is_there(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
        using TestClient client = new(federation, new() { WorkerCount = 1 }, clock: clock);
        client.Write("src/a", Content);
        client.Write("src/b", Content);
        int ended = 0;
        TreeListener listener = new()
        {
            Ended = _ =>
            {
                if (Interlocked.Increment(ref ended) == 1)
                {
                    clock.Advance(TimeSpan.FromSeconds(11));
                }
            },
            Begins = (item, _) => federation.Origin.Store(item.Path == "a" ? "/demo/tree/b" : "/demo/tree/a", "another's"),
        };

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken, listener: listener);

        await Assert.That(result.Objects).IsEqualTo(1);
        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.AlreadyExists);
    }

    [Test]
    public async Task Where_collections_cannot_be_listed_each_object_is_asked_for(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Faults.Add(new Fault(r => r.Method == "PROPFIND" && r.Headers["Depth"] == "1", FaultAction.Answer(405)));
        federation.Origin.Store("/demo/tree/a", "old");
        client.Write("src/a", Content);
        client.Write("src/b", Content);

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken);

        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That(result.Objects).IsEqualTo(1);
        await Assert.That(federation.Origin.Load("/demo/tree/a").Length).IsEqualTo(3);
    }

    [Test]
    public async Task Links_to_files_are_followed_and_what_is_no_file_is_left_out_and_said(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("src/a", Content);
        client.Write("outside/b", Content);
        client.Write("src/.a.0123456789abcdef.pelican-part", Content);
        File.CreateSymbolicLink(client.File("src/link"), client.File("outside/b"));
        File.CreateSymbolicLink(client.File("src/dangling"), client.File("nowhere"));
        Directory.CreateSymbolicLink(client.File("src/loop"), client.File("src"));
        _ = MakePipe(client.File("src/pipe"), 0b110_000_000);
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(client.File("src/s")));
        ConcurrentBag<string> said = [];

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken, listener: new() { LeavesOut = said.Add });

        await Assert.That((result.Objects, result.LeftOut, result.Failed)).IsEqualTo((2, 4, 1));
        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.LocalFileNotFound);
        await Assert.That(said.Count).IsEqualTo(4);
        await Assert.That(said).Contains($"'{client.File("src/loop")}' is a link to a directory: it is left out");
        await Assert.That(Directory.GetFileSystemEntries(federation.Origin.FileOf("/demo/tree")).Select(f => Path.GetFileName(f)!)).IsEquivalentTo(["a", "link"]);
    }

    [Test]
    public async Task A_device_is_no_file()
    {
        await Assert.That(LocalEntry.At("/dev/null").Kind).IsEqualTo(LocalKind.Special);
        await Assert.That(LocalEntry.At("/").Kind).IsEqualTo(LocalKind.Directory);
        await Assert.That(LocalEntry.At("/nowhere/at/all").Kind).IsEqualTo(LocalKind.Unknown);
    }

    [Test]
    public async Task Size_and_time_of_a_file_are_those_of_the_file_system(CancellationToken cancellationToken)
    {
        string file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, Content, cancellationToken);
        DateTime time = new(2024, 2, 3, 4, 5, 6, 789, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(file, time);

        LocalEntry entry = LocalEntry.At(file);
        File.Delete(file);

        await Assert.That(entry).IsEqualTo(entry with { Kind = LocalKind.File, Size = 1234, Modified = new DateTimeOffset(time) });
    }

    [Test]
    public async Task A_file_is_a_single_transfer(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        Directory.CreateDirectory(federation.Origin.FileOf("/demo/dir"));
        client.Write("a", Content);

        await client.PutTreeAsync("a", "/demo/b", cancellationToken);
        await client.PutTreeAsync("a", "/demo/dir", cancellationToken);
        await Assert.That(federation.Origin.Load("/demo/b").Length).IsEqualTo(1234);
        await Assert.That(federation.Origin.Load("/demo/dir/a").Length).IsEqualTo(1234);

        TreeResult again = await client.PutTreeAsync("a", "/demo/b", cancellationToken);
        client.Write("a", Bytes.Random(1234, 8));
        TreeResult other = await client.PutTreeAsync("a", "/demo/b", cancellationToken);
        TreeResult begun = await client.PutTreeAsync("a", "/demo/b", cancellationToken, listener: new() { WasBegun = item => item.Path.Length == 0 });

        await Assert.That((again.Already, again.Failure?.Message)).IsEqualTo((1, null));
        await Assert.That(other.Failure!.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That((begun.Objects, begun.Failure?.Row)).IsEqualTo((0, Errors.AlreadyExists));
    }

    [Test]
    public async Task A_directory_is_not_put_onto_an_object(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/tree/sub", "old");
        federation.Origin.Store("/demo/tree/b/c", "old");
        client.Write("src/sub/a", Content);
        client.Write("src/b", Content);

        TreeResult top = await client.PutTreeAsync("src", "/demo/tree/sub", cancellationToken);
        TreeResult below = await client.PutTreeAsync("src", "/demo/tree", cancellationToken);

        await Assert.That(top.Failure!.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That((below.Objects, below.Failed)).IsEqualTo((0, 2));
        await Assert.That(federation.Origin.Load("/demo/tree/sub").Length).IsEqualTo(3);
    }

    [Test]
    public async Task A_server_that_makes_no_collections_gets_the_objects_all_the_same(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Faults.Add(new Fault(r => r.Method == "MKCOL", FaultAction.Answer(405, "no")));
        client.Write("src/sub/a", Content);
        Directory.CreateDirectory(client.File("src/empty"));
        ConcurrentBag<string> said = [];

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken, listener: new() { LeavesOut = said.Add });

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That((result.Objects, result.LeftOut)).IsEqualTo((1, 1));
        await Assert.That(said.Single()).StartsWith("'empty' is empty, and the server makes no collection for it: ");
        await Assert.That(federation.Origin.Load("/demo/tree/sub/a").Length).IsEqualTo(1234);
    }

    [Test]
    public async Task A_directory_that_is_not_there_is_a_failure(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);

        TreeResult result = await client.PutTreeAsync("none", "/demo/tree", cancellationToken);

        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.LocalFileNotFound);
        await Assert.That(federation.Origin.Exists("/demo/tree")).IsFalse();
    }

    [Test]
    public async Task What_two_sources_have_under_one_name_is_not_sent(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("one/a", Content);
        client.Write("two/a", Content);
        client.Write("two/sub/b", Content);
        client.Write("c", Content);

        TreeResult result = await client.PutTreesAsync(["one", "two", "c"], "/demo/tree", cancellationToken, new() { Overwrite = true });

        await Assert.That((result.Objects, result.Failed)).IsEqualTo((2, 1));
        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.Parameter);
        await Assert.That(federation.Origin.Exists("/demo/tree/a")).IsFalse();
        await Assert.That(federation.Origin.Exists("/demo/tree/c") && federation.Origin.Exists("/demo/tree/sub/b")).IsTrue();
    }

    [Test]
    public async Task What_an_earlier_run_began_may_be_replaced_and_what_it_did_is_not_done_again(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/tree/begun", Content[..500]);
        federation.Origin.Store("/demo/tree/whole", Content);
        federation.Origin.Store("/demo/tree/stranger's", "12");
        federation.Origin.Store("/demo/tree/done", Content);
        federation.Origin.Store("/demo/tree/another's", "12");
        client.Write("src/begun", Content);
        client.Write("src/done", Content);
        client.Write("src/another's", Content);
        client.Write("src/whole", Content);
        client.Write("src/stranger's", Content);
        ConcurrentBag<string> begun = [];
        TreeListener listener = new()
        {
            IsDone = item => item.Path == "done",
            WasBegun = item => item.Path is "begun" or "whole" or "stranger's",
            Begins = (item, _) => begun.Add(item.Path),
        };

        TreeResult result = await client.PutTreeAsync("src", "/demo/tree", cancellationToken, listener: listener);

        await Assert.That((result.Objects, result.Already, result.Failed)).IsEqualTo((3, 2, 2));
        await Assert.That(federation.Origin.Load("/demo/tree/stranger's").Length).IsEqualTo(2);
        await Assert.That(begun).IsEquivalentTo(["begun"]);
        await Assert.That(federation.Origin.Load("/demo/tree/begun").Length).IsEqualTo(1234);
        await Assert.That(federation.Origin.Load("/demo/tree/another's").Length).IsEqualTo(2);
    }

    [Test]
    public async Task Cancelling_removes_what_is_incomplete(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        for (int i = 0; i < 200; i++)
        {
            client.Write($"src/{i}", Bytes.Random(50_000, i));
        }

        Gate gate = new(100_000);
        federation.Origin.Faults.Add(new Fault(r => r.Method == "PUT", FaultAction.HoldUpload(gate)));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<TreeResult> running = client.PutTreeAsync("src", "/demo/tree", stop.Token);
        await gate.Blocked.WaitAsync(cancellationToken);

        await stop.CancelAsync();

        await Assert.That(async () => await running).Throws<OperationCanceledException>();
        FileInfo[] left = new DirectoryInfo(federation.Origin.FileOf("/demo/tree")).GetFiles();
        await Assert.That(left.Length).IsLessThan(10);
        await Assert.That(left.All(file => file.Length == 50_000)).IsTrue();
    }

    [Test]
    public async Task What_the_server_makes_of_an_upload_after_its_removal_was_asked_for_is_removed_too(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("src/a", Bytes.Random(50_000));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        TaskCompletionSource asked = new();
        federation.Origin.Faults.Add(new Fault(r => r.Method == "PUT", async (_, _, _) =>
        {
            // It has the request, and comes to it only when somebody has been told that there is nothing.
            await stop.CancelAsync();
            await asked.Task;
            federation.Origin.Store("/demo/tree/a", Bytes.Random(100));
            return new Reply(0) { Unanswered = true };
        }));
        federation.Origin.Faults.Add(new Fault(r => r.Is("PROPFIND", "/demo/tree/a") && stop.IsCancellationRequested, async (_, next, _) =>
        {
            Reply reply = await next();
            asked.TrySetResult();
            return reply;
        }));

        await Assert.That(async () => await client.PutTreeAsync("src", "/demo/tree", stop.Token)).Throws<OperationCanceledException>();

        await Assert.That(federation.Origin.Exists("/demo/tree/a")).IsFalse();
    }

    [Test]
    public async Task A_dry_run_tells_all_and_sends_nothing(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("src/sub/a", Content);
        ConcurrentBag<TreeOutcome> outcomes = [];

        await client.PutTreeAsync("src", "/demo/tree", cancellationToken, new() { DryRun = true }, new() { Ended = outcomes.Add });

        await Assert.That(outcomes.Single().Result!.Destination).IsEqualTo(client.Url("/demo/tree/sub/a"));
        await Assert.That(federation.Origin.Exists("/demo/tree")).IsFalse();
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "mkfifo")]
    private static partial int MakePipe(byte[] path, uint mode);

    [LibraryImport("libc", EntryPoint = "unlink")]
    private static partial int Unlink(byte[] path);
}
