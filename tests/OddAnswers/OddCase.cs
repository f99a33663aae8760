using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.OddAnswers;

/// <summary>One operation under odd answers, and what must hold of it whatever was answered.</summary>
internal sealed class OddCase
{
    private static readonly int[] Sizes = [0, 1, 17, 17, 1000, 1000, 1000, 1000, 70_000, 300_000];

    private readonly TestFederation _federation;
    private readonly OddServers _servers;
    private readonly Random _random;
    private readonly string _token;
    private readonly string _top;
    private readonly Dictionary<string, byte[]> _before = [];
    private readonly Dictionary<string, byte[]> _first = [];
    private readonly Dictionary<string, byte[]> _own = [];
    private readonly List<string> _wrong = [];
    private readonly Lock _lock = new();
    private byte[]? _intruder;
    private int _comesWith;
    private bool _ownMayGo;

    public OddCase(TestFederation federation, OddServers servers, int seed, string? token)
    {
        (_federation, _servers, _token) = (federation, servers, token ?? "no token at all");
        _random = new Random(seed);
        _top = $"/{OddReply.Some(_random, "demo", token is null ? "demo" : "protected")}/c{seed:x}";
        Store("a", Some());
        Store("t/x", Some());
        Store("t/sub/y z", Some());
        Store("t/sub/%41", Some());
        Store("other", Some());
    }

    /// <summary>What was done.</summary>
    public string What { get; private set; } = "";

    /// <summary>Whether it succeeded.</summary>
    public bool HasSucceeded { get; private set; }

    private Origin Origin => _federation.Origin;

    /// <summary>Runs it.</summary>
    /// <returns>What does not hold.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(TestClient client, TimeSpan limit, CancellationToken cancellationToken)
    {
        (What, Func<TestClient, CancellationToken, Task> act) = OddReply.Some<(string, Func<TestClient, CancellationToken, Task>)>(_random,
            ("get", GetAsync), ("get", GetAsync), ("get to a stream", GetToStreamAsync), ("get -r", GetTreeAsync), ("stat", StatAsync), ("ls", ListAsync),
            ("put", PutAsync), ("put", PutAsync), ("put onto", PutOntoAsync), ("put --overwrite", ReplaceAsync), ("put -r", PutTreeAsync), ("put -r onto", PutTreeOntoAsync),
            ("delete", DeleteAsync), ("delete of a collection", DeleteCollectionAsync), ("delete -r", DeleteTreeAsync));
        if (What.StartsWith("put", StringComparison.Ordinal) && _random.Next(4) == 0)
        {
            _intruder = [.. "somebody else's "u8, .. Some()];
            _comesWith = _random.Next(1, 3);
        }

        (_servers.Arriving, _servers.Leaving) = (Arriving, Leaving);
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(limit);
        try
        {
            await act(client, late.Token);
            HasSucceeded = _wrong.Count == 0;
        }
        catch (PelicanException e)
        {
            Judge(e);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            _wrong.Add("it hangs");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever is no PelicanException would be told as a fault of this program.
            _wrong.Add("internal error: " + e);
        }

        _servers.End();
        CheckLocal(client);
        CheckOthers();
        Clean(client);
        return _wrong;
    }

    // Somebody else's object comes with our PUT, where the server is asked to replace nothing, and obeys; and no DELETE is sent for what is not ours.
    private void Arriving(FederationServer server, Request request)
    {
        if (server is not Pelican.Federation.Origin)
        {
            return;
        }

        if (request.Method == "PUT" && !server.Dialect.IsXrootd && request.Headers["If-None-Match"] == "*")
        {
            Intrude(request);
        }

        if (request.Method is "DELETE" or "MOVE" && !_ownMayGo)
        {
            lock (_lock)
            {
                string file = Origin.FileOf(request.Path);
                if (NameOf(request) is { } name && _first.TryGetValue(name, out byte[]? content) && File.Exists(file) && Bytes.AreIn(file, content))
                {
                    _wrong.Add($"{request.Method} of '{name}', which is somebody else's");
                }
            }
        }
    }

    // Or after a PUT of ours of which the server has nothing: before another one somebody must look.
    private void Leaving(FederationServer server, Request request, Reply reply)
    {
        bool untaken = reply.Unanswered ? request.BytesReceived == 0 : reply.Status is 202 or >= 400;
        if (server is Pelican.Federation.Origin && request.Method == "PUT" && untaken)
        {
            Intrude(request);
        }
    }

    private void Intrude(Request request)
    {
        lock (_lock)
        {
            if (_intruder is { } content && NameOf(request) is { } name && name.StartsWith("new/", StringComparison.Ordinal) && !Origin.Exists(request.Path) && --_comesWith == 0)
            {
                Store(name, content);
                _own.Remove(name);
                _servers.Tell($"somebody else makes '{name}'");
            }
        }
    }

    private string? NameOf(Request request) => request.Path.StartsWith(_top + "/", StringComparison.Ordinal) ? request.Path[(_top.Length + 1)..] : null;

    private async Task GetAsync(TestClient client, CancellationToken cancellationToken)
    {
        bool again = _random.Next(3) == 0;
        try
        {
            await client.GetAsync(_top + "/a", "f", cancellationToken, Options(_random.Next(3)));
        }
        catch (PelicanException e) when (again)
        {
            Judge(e);
            await client.GetAsync(_top + "/a", "f", cancellationToken, Options(_random.Next(3)));
        }

        Same(await File.ReadAllBytesAsync(client.File("f"), cancellationToken), "a");
    }

    private async Task GetToStreamAsync(TestClient client, CancellationToken cancellationToken)
    {
        using MemoryStream target = new();
        await client.GetToStreamAsync(_top + "/a", target, cancellationToken);
        Same(target.ToArray(), "a");
    }

    private async Task GetTreeAsync(TestClient client, CancellationToken cancellationToken)
    {
        Judge(await client.GetTreeAsync(_top + "/t", "d", cancellationToken));
        string[] expected = [.. _before.Keys.Where(name => name.StartsWith("t/", StringComparison.Ordinal))];
        foreach (string name in expected)
        {
            string file = client.File("d/" + name[2..]);
            Same(File.Exists(file) ? await File.ReadAllBytesAsync(file, cancellationToken) : null, name);
        }

        if (Directory.GetFiles(client.File("d"), "*", SearchOption.AllDirectories).Length != expected.Length)
        {
            _wrong.Add("more files than objects: " + string.Join(' ', client.Files()));
        }
    }

    private async Task StatAsync(TestClient client, CancellationToken cancellationToken)
    {
        bool collection = _random.Next(2) == 0;
        ObjectInfo info = await client.StatAsync(_top + (collection ? "/t" : "/a"), cancellationToken, _random.Next(2) == 0 && !collection ? [ChecksumAlgorithm.Md5] : []);
        if (info.IsCollection != collection || (!collection && info.Size is { } size && size != _before["a"].Length && !_servers.HasLied))
        {
            _wrong.Add($"stat says {info}");
        }
    }

    private async Task ListAsync(TestClient client, CancellationToken cancellationToken)
    {
        IReadOnlyList<ObjectInfo> entries = await client.ListAsync(_top + "/t", cancellationToken);
        string[] names = [.. entries.Select(entry => entry.Name).Order(StringComparer.Ordinal)];
        if (!names.SequenceEqual(["sub", "x"]) || entries.Any(entry => entry.IsKindTold && entry.IsCollection != (entry.Name == "sub"))
            || entries.Single(entry => entry.Name == "x").Size is { } size && size != _before["t/x"].Length)
        {
            _wrong.Add("ls says " + string.Join(' ', entries));
        }
    }

    private async Task PutAsync(TestClient client, CancellationToken cancellationToken)
    {
        await client.PutAsync(Own(client, "f", "new/f"), _top + "/new/f", cancellationToken, Options(_random.Next(4)));
        Arrived("new/f");
    }

    private async Task PutOntoAsync(TestClient client, CancellationToken cancellationToken)
    {
        client.Write("f", Some());
        await client.PutAsync("f", _top + "/other", cancellationToken, Options(_random.Next(4)));
        _wrong.Add("put says that it has stored what is there already");
    }

    private async Task ReplaceAsync(TestClient client, CancellationToken cancellationToken)
    {
        _before.Remove("a");
        await client.PutAsync(Own(client, "f", "a"), _top + "/a", cancellationToken, Options(_random.Next(4)) with { Overwrite = true });
        Arrived("a");
    }

    private async Task PutTreeAsync(TestClient client, CancellationToken cancellationToken)
    {
        Own(client, "d/1", "new/1");
        Own(client, "d/sub/2", "new/sub/2");
        Own(client, "d/sub/3", "new/sub/3");
        Judge(await client.PutTreeAsync("d", _top + "/new", cancellationToken));
        foreach (string name in (string[])["new/1", "new/sub/2", "new/sub/3"])
        {
            Arrived(name);
        }
    }

    // Something of somebody else's is where two of four go: these must fail or be the same.
    private async Task PutTreeOntoAsync(TestClient client, CancellationToken cancellationToken)
    {
        Own(client, "d/1", "t/1");
        byte[] x = Some(), yz = Some();
        client.Write("d/x", x);
        client.Write("d/sub/y z", yz);
        Own(client, "d/sub/2", "t/sub/2");
        Judge(await client.PutTreeAsync("d", _top + "/t", cancellationToken, new TransferOptions { KeepEqual = true }));
        if (!x.SequenceEqual(_first["t/x"]) || !yz.SequenceEqual(_first["t/sub/y z"]))
        {
            _wrong.Add("put -r says that it has stored what is there already");
        }
    }

    private async Task DeleteAsync(TestClient client, CancellationToken cancellationToken)
    {
        (_ownMayGo, _own["a"]) = (true, _before["a"]);
        _before.Remove("a");
        await client.DeleteAsync(_top + "/a", cancellationToken);
        Gone("a");
    }

    private async Task DeleteCollectionAsync(TestClient client, CancellationToken cancellationToken)
    {
        await client.DeleteAsync(_top + "/t", cancellationToken);
        _wrong.Add("a full collection was deleted without -r");
    }

    private async Task DeleteTreeAsync(TestClient client, CancellationToken cancellationToken)
    {
        _ownMayGo = true;
        foreach (string name in _before.Keys.Where(name => name.StartsWith("t/", StringComparison.Ordinal)).ToArray())
        {
            _before.Remove(name, out byte[]? content);
            _own[name] = content!;
        }

        Judge(await client.DeleteTreeAsync(_top + "/t", cancellationToken));
        Gone("t");
    }

    private static TransferOptions Options(int way) => way switch
    {
        0 => new TransferOptions { DirectRead = true },
        1 => new TransferOptions { RequireChecksum = true },
        _ => new TransferOptions(),
    };

    private byte[] Some()
    {
        byte[] bytes = new byte[_random.Next(200) == 0 ? 1_500_000 : Sizes[_random.Next(Sizes.Length)]];
        byte[] block = new byte[8];
        // As by NextBytes, a hundred times as fast.
        ulong state = (ulong)_random.NextInt64();
        for (int i = 0; i < bytes.Length; i += 8)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            BitConverter.TryWriteBytes(block, state ^ (state >> 29));
            block.AsSpan(0, Math.Min(8, bytes.Length - i)).CopyTo(bytes.AsSpan(i));
        }

        return bytes;
    }

    private void Store(string name, byte[] content)
    {
        Origin.Store($"{_top}/{name}", content, DateTimeOffset.UtcNow.AddDays(-1));
        _before[name] = content;
        _first[name] = content;
    }

    private string Own(TestClient client, string local, string name)
    {
        client.Write(local, _own[name] = Some());
        return local;
    }

    private void Same(byte[]? content, string name)
    {
        if (content is null || !content.AsSpan().SequenceEqual(_before[name]))
        {
            _wrong.Add($"'{name}' came with {content?.Length} bytes instead of these {_before[name].Length}");
        }
    }

    private void Arrived(string name)
    {
        if (!_own.TryGetValue(name, out byte[]? own) || !Origin.Exists($"{_top}/{name}") || !Origin.Load($"{_top}/{name}").AsSpan().SequenceEqual(own))
        {
            _wrong.Add($"'{name}' is said to be stored, and is not");
        }
    }

    private void Gone(string name)
    {
        if (Origin.Exists($"{_top}/{name}"))
        {
            _wrong.Add($"'{name}' is said to be deleted, and is not");
        }
    }

    private static void Judge(TreeResult result)
    {
        if (result.Failure is { } failure)
        {
            throw failure;
        }
    }

    private void Judge(PelicanException e)
    {
        if (e.Row == Errors.Internal)
        {
            _wrong.Add("internal error: " + e);
        }

        if (e.Message.Any(char.IsControl) || e.Message.Length > 4000)
        {
            _wrong.Add("a message that is not fit to be shown: " + e.Message);
        }

        if (e.Message.Contains(_token, StringComparison.Ordinal))
        {
            _wrong.Add("the token is in the message");
        }
    }

    // Whatever became of a download: what has a final name is whole.
    private void CheckLocal(TestClient client)
    {
        foreach (string name in What.StartsWith("get", StringComparison.Ordinal) ? client.Files() : [])
        {
            string file = client.File(name);
            bool isPart = Path.GetFileName(file).StartsWith('.');
            if (File.Exists(file) && !isPart && !(_first.TryGetValue(name == "f" ? "a" : "t" + name[1..], out byte[]? content) && Bytes.AreIn(file, content)))
            {
                _wrong.Add($"a file '{name}' that is no object's");
            }
        }
    }

    // What was there before and is not the operation's own is there, and what is the operation's own is nothing else.
    private void CheckOthers()
    {
        foreach ((string name, byte[] content) in _before)
        {
            if (!File.Exists(Origin.FileOf($"{_top}/{name}")) || !Origin.Load($"{_top}/{name}").AsSpan().SequenceEqual(content))
            {
                _wrong.Add($"'{name}' of somebody else is lost or changed");
            }
        }

        foreach (string file in Directory.GetFiles(Origin.FileOf(_top), "*", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(Origin.FileOf(_top), file);
            if (!_before.ContainsKey(name) && !_own.ContainsKey(name))
            {
                _wrong.Add($"'{name}' was made, and nobody said so");
            }
            else if (_ownMayGo && _own.TryGetValue(name, out byte[]? own) && !Bytes.AreIn(file, own))
            {
                _wrong.Add($"'{name}' was changed by a deletion");
            }
        }

        foreach (FederationServer server in (FederationServer[])[_federation.Director, .. _federation.Origins, .. _federation.Caches])
        {
            while (server.Failures.TryDequeue(out Exception? failure))
            {
                _wrong.Add("the test's own server failed: " + failure);
            }
        }
    }

    private void Clean(TestClient client)
    {
        foreach (string folder in (string[])[Origin.FileOf(_top), .. _federation.Caches.Select(cache => cache.FileOf(_top))])
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, true);
            }
        }

        foreach (string entry in Directory.GetFileSystemEntries(client.Folder))
        {
            if (Directory.Exists(entry))
            {
                Directory.Delete(entry, true);
            }
            else
            {
                File.Delete(entry);
            }
        }
    }
}
