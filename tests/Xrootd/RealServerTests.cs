using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Xrootd;

/// <summary>The client against real XRootD servers behind a director.</summary>
[ClassDataSource<RealFederation>(Shared = SharedType.PerTestSession)]
public sealed class RealServerTests(RealFederation real)
{
    private static readonly byte[] Small = Bytes.Random(4096);

    [Test]
    [Arguments("/open")]
    [Arguments("/protected")]
    [Arguments("/plain")]
    public async Task A_file_is_put_listed_found_got_back_and_deleted(string space, CancellationToken cancellationToken)
    {
        using TestClient client = real.CreateClient(space == "/protected" ? XrootdToken.Write : null);
        byte[] content = Bytes.Random(3_000_000);
        client.Write("a.bin", content);

        TransferResult put = await client.PutAsync("a.bin", $"{space}/round/a.bin", cancellationToken);
        IReadOnlyList<ObjectInfo> listing = await client.ListAsync($"{space}/round", cancellationToken);
        ObjectInfo info = await client.StatAsync($"{space}/round/a.bin", cancellationToken);
        TransferResult get = await client.GetAsync($"{space}/round/a.bin", "b.bin", cancellationToken);
        await client.DeleteAsync($"{space}/round/a.bin", cancellationToken);
        PelicanException gone = await Expect.FailureAsync(client.StatAsync($"{space}/round/a.bin?directread", cancellationToken));

        await Assert.That(put.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(get.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(listing.Select(i => i.Name)).IsEquivalentTo(["a.bin"]);
        await Assert.That(info.Size).IsEqualTo(content.Length);
        await Assert.That(info.Modified).IsNotNull();
        await Assert.That(Bytes.AreIn(client.File("b.bin"), content)).IsTrue();
        await Assert.That(gone.Row).IsEqualTo(Errors.NotFound);
    }

    [Test]
    public async Task A_thousand_small_objects_make_the_round_trip(CancellationToken cancellationToken)
    {
        using TestClient client = real.CreateClient();
        ParallelOptions eight = new() { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken };
        for (int i = 0; i < 1000; i++)
        {
            client.Write($"{i}", Bytes.Random(4096, i));
        }

        await Parallel.ForAsync(0, 1000, eight, async (i, stop) => await client.PutAsync($"{i}", $"/open/thousand/{i}", stop));
        IReadOnlyList<ObjectInfo> listing = await client.ListAsync("/open/thousand", cancellationToken);
        await Parallel.ForAsync(0, 1000, eight, async (i, stop) => await client.GetAsync($"/open/thousand/{i}", $"got/{i}", stop));

        await Assert.That(listing.Count).IsEqualTo(1000);
        for (int i = 0; i < 1000; i++)
        {
            await Assert.That(Bytes.AreIn(client.File($"got/{i}"), Bytes.Random(4096, i))).IsTrue();
        }
    }

    [Test]
    [Arguments("a b.txt")]
    [Arguments("100%.txt")]
    [Arguments("pc%41.txt")]
    [Arguments("x#y.txt")]
    [Arguments("p+q.txt")]
    [Arguments("s;t.txt")]
    [Arguments("grün.txt")]
    [Arguments("&<>'\"=@:,.txt")]
    [Arguments(" leading and trailing ")]
    [Arguments("-x")]
    [Arguments("back\\slash")]
    [Arguments("中文")]
    public async Task A_name_survives_as_it_is(string name, CancellationToken cancellationToken)
    {
        using TestClient client = real.CreateClient();
        client.Write(name, Small);
        string url = "/open/names/" + Uri.EscapeDataString(name);

        await client.PutAsync(name, "/open/names/", cancellationToken, new() { Overwrite = true });
        IReadOnlyList<ObjectInfo> listing = await client.ListAsync("/open/names", cancellationToken);
        ObjectInfo info = await client.StatAsync(url, cancellationToken);
        await client.GetAsync(url, "got/", cancellationToken);

        await Assert.That(File.Exists(real.Xrootd.FilePath(XrootdServer.Https, "/open/names/" + name))).IsTrue();
        await Assert.That(listing.Select(i => i.Name)).Contains(name);
        await Assert.That(info.Name).IsEqualTo(name);
        await Assert.That(Bytes.AreIn(client.File("got/" + name), Small)).IsTrue();
    }

    [Test]
    public async Task A_name_with_a_question_mark_is_refused_with_the_reason(CancellationToken cancellationToken)
    {
        using TestClient client = real.CreateClient();
        client.Write("q?1.txt", Small);

        PelicanException error = await Expect.FailureAsync(client.PutAsync("q?1.txt", "/open/question/", cancellationToken));

        await Assert.That(error.Message).Contains("cuts names at the '?'");
        await Assert.That(File.Exists(real.Xrootd.FilePath(XrootdServer.Https, "/open/question/q"))).IsFalse();
    }

    [Test]
    public async Task An_empty_object_makes_the_round_trip(CancellationToken cancellationToken)
    {
        using TestClient client = real.CreateClient();
        client.Write("empty", []);

        TransferResult put = await client.PutAsync("empty", "/open/empty/empty", cancellationToken);
        TransferResult get = await client.GetAsync("/open/empty/empty", "got", cancellationToken);

        await Assert.That(put.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(get.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(new FileInfo(client.File("got")).Length).IsEqualTo(0);
    }

    [Test]
    [NotInParallel]
    public async Task A_large_object_makes_the_round_trip(CancellationToken cancellationToken)
    {
        const long Size = 1L << 30;
        using TestClient client = real.CreateClient();
        byte[] block = Bytes.Random(1 << 20);
        await using (FileStream file = File.Create(client.File("large")))
        {
            for (long i = 0; i < Size / block.Length; i++)
            {
                BitConverter.TryWriteBytes(block, i);
                file.Write(block);
            }
        }

        TransferResult put = await client.PutAsync("large", "/open/large/1g", cancellationToken);
        ObjectInfo info = await client.StatAsync("/open/large/1g", cancellationToken);
        TransferResult get = await client.GetAsync("/open/large/1g", "got", cancellationToken);
        await client.DeleteAsync("/open/large/1g", cancellationToken);

        await Assert.That(put.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(info.Size).IsEqualTo(Size);
        await Assert.That(get.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(Checksum.OfFile(client.File("got"), ChecksumAlgorithm.Sha1, cancellationToken).AsSpan()
            .SequenceEqual(Checksum.OfFile(client.File("large"), ChecksumAlgorithm.Sha1, cancellationToken))).IsTrue();
    }

    [Test]
    [NotInParallel]
    [Timeout(600_000)]
    public async Task A_sparse_object_of_five_gibibytes_makes_the_round_trip(CancellationToken cancellationToken)
    {
        const long Size = 5L << 30;
        using TestClient client = real.CreateClient();
        await using (FileStream file = File.Create(client.File("sparse")))
        {
            file.SetLength(Size);
            file.Position = Size - 1;
            file.WriteByte(42);
        }

        TransferResult put = await client.PutAsync("sparse", "/open/large/5g", cancellationToken);
        TransferResult get = await client.GetAsync("/open/large/5g?directread", "got", cancellationToken);
        await client.DeleteAsync("/open/large/5g", cancellationToken);

        await Assert.That(put.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(get.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(get.Size).IsEqualTo(Size);
    }

    [Test]
    [Arguments(null, "TokenNotFound", "none was found")]
    [Arguments(XrootdToken.Expired, "TokenExpired", "expired")]
    [Arguments(XrootdToken.NotYet, "Authorization", "not valid")]
    [Arguments(XrootdToken.WrongScope, "Authorization", "storage.read")]
    [Arguments(XrootdToken.Subdir, "Authorization", "/sub")]
    [Arguments(XrootdToken.WrongIssuer, "Authorization", "issuer.invalid")]
    [Arguments(XrootdToken.WrongAudience, "Authorization", "other.invalid")]
    [Arguments(XrootdToken.BadSignature, "Authorization", "signature")]
    public async Task Every_fault_of_a_token_has_its_own_message(XrootdToken? token, string row, string says, CancellationToken cancellationToken)
    {
        await real.Xrootd.PutAsync(XrootdServer.Https, "/protected/secret", Small, cancellationToken);
        using TestClient client = real.CreateClient(token);

        PelicanException error = await Expect.FailureAsync(client.GetAsync("/protected/secret", "got", cancellationToken));

        await Assert.That(error.Row.Name).EndsWith(row);
        await Assert.That(error.Message + error.NextStep).Contains(says);
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task A_token_that_may_only_create_uploads_and_does_not_overwrite(CancellationToken cancellationToken)
    {
        using TestClient client = real.CreateClient(XrootdToken.CreateOnly);
        client.Write("a", Small);

        TransferResult put = await client.PutAsync("a", "/protected/created/a", cancellationToken);
        PelicanException again = await Expect.FailureAsync(client.PutAsync("a", "/protected/created/a", cancellationToken));

        await Assert.That(put.Size).IsEqualTo(Small.Length);
        await Assert.That(again.Retryable).IsFalse();
        await Assert.That(Bytes.AreIn(real.Xrootd.FilePath(XrootdServer.Https, "/protected/created/a"), Small)).IsTrue();
    }

    [Test]
    public async Task An_existing_object_is_protected(CancellationToken cancellationToken)
    {
        await real.Xrootd.PutAsync(XrootdServer.Https, "/open/precious", Small, cancellationToken);
        using TestClient client = real.CreateClient();
        client.Write("a", Bytes.Random(10));

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a", "/open/precious", cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That(Bytes.AreIn(real.Xrootd.FilePath(XrootdServer.Https, "/open/precious"), Small)).IsTrue();
    }

    [Test]
    public async Task A_collection_is_no_object(CancellationToken cancellationToken)
    {
        await real.Xrootd.PutAsync(XrootdServer.Https, "/open/dir/a", Small, cancellationToken);
        using TestClient client = real.CreateClient();

        PelicanException get = await Expect.FailureAsync(client.GetAsync("/open/dir", "got", cancellationToken));
        PelicanException delete = await Expect.FailureAsync(client.DeleteAsync("/open/dir", cancellationToken));

        await Assert.That(get.Row).IsEqualTo(Errors.IsCollection);
        await Assert.That(delete.Row).IsEqualTo(Errors.CollectionNotEmpty);
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task When_a_cache_dies_the_next_one_continues_from_the_byte_reached(CancellationToken cancellationToken)
    {
        await using RealFederation own = await RealFederation.StartAsync(cancellationToken);
        byte[] content = Bytes.Random(24_000_000);
        await own.Xrootd.PutAsync(XrootdServer.Https, "/open/big", content, cancellationToken);
        using TestClient client = own.CreateClient(settings: new() { MaximumDownloadSpeed = 8_000_000 });

        Task<TransferResult> download = client.GetAsync("/open/big", "big", cancellationToken);
        await Expect.UntilAsync(() => client.HasNoted && client.Progress.Bytes > 6_000_000, cancellationToken);
        await own.Xrootd.StopServerAsync(XrootdServer.Cache, kill: true, cancellationToken);
        TransferResult result = await download;

        IReadOnlyList<XrootdRequest> asked = await own.Xrootd.ReadRequestsAsync(XrootdServer.Cache2, cancellationToken);
        XrootdRequest rest = asked.Single(r => r.Method == "GET");
        long from = long.Parse(rest.Range!["bytes=".Length..].Split('-')[0], System.Globalization.CultureInfo.InvariantCulture);
        await Assert.That(from).IsGreaterThan(6_000_000);
        await Assert.That(rest.BodyBytes).IsEqualTo(content.Length - from);
        await Assert.That(result.Attempts.Count).IsGreaterThan(1);
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(Bytes.AreIn(client.File("big"), content)).IsTrue();
        await Assert.That(client.Files()).IsEquivalentTo(["big"]);
    }

    [Test]
    public async Task When_all_caches_are_dead_the_error_names_them_all(CancellationToken cancellationToken)
    {
        await using RealFederation own = await RealFederation.StartAsync(cancellationToken);
        await own.Xrootd.StopServerAsync(XrootdServer.Cache, kill: true, cancellationToken);
        await own.Xrootd.StopServerAsync(XrootdServer.Cache2, kill: true, cancellationToken);
        using TestClient client = own.CreateClient();

        PelicanException error = await Expect.FailureAsync(client.GetAsync("/open/big", "big", cancellationToken));

        await Assert.That(error.Message).Contains(own.Xrootd.Cache.Authority);
        await Assert.That(error.Message).Contains(own.Xrootd.Cache2.Authority);
        await Assert.That(error.ExitStatus).IsEqualTo(Errors.RetryableExitStatus);
        await Assert.That(client.Files()).IsEmpty();
    }
}
