using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Small objects, whose digest XRootD 6 is asked for in the request that fetches them.</summary>
public sealed class DigestWithObjectTests
{
    private const string Tree = "/public/tree";
    private const int Count = 20;

    private static ClientSettings OneByOne { get; } = new() { WorkerCount = 1 };

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task Only_an_XRootD_6_is_asked_for_both_at_once(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [dialect], Origins = [dialect] });
        using TestClient client = new(federation, OneByOne);
        byte[][] objects = Store(federation);

        TreeResult result = await client.GetTreeAsync(Tree, "out", cancellationToken);

        await Assert.That(result.Objects).IsEqualTo(Count);
        await Assert.That(objects.Select((bytes, i) => Bytes.AreIn(client.File($"out/{i}"), bytes))).DoesNotContain(false);
        int both = federation.Cache.Requests.Count(r => r.Method == "GET" && r.Headers["Want-Digest"] is not null);
        int questions = federation.Cache.Requests.Count(r => r.Method == "HEAD");
        await Assert.That((both, questions)).IsEqualTo(
            // Pelican's caches tell four digests with the object, unasked.
            dialect == Dialect.Xrootd62 ? (Count - 1, 1) : dialect == Dialect.Pelican ? (0, 0) : (0, Count));
        await Assert.That(federation.Cache.Failures).IsEmpty();
    }

    [Test]
    public async Task Objects_of_unknown_size_are_taken_to_be_like_those_before(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        Store(federation);
        federation.Origin.Store($"{Tree}/large", new byte[2_000_000]);

        int[] asked = new int[3];
        for (int i = 0; i < 8; i++)
        {
            await client.GetAsync($"{Tree}/{i}", $"{i}", cancellationToken);
        }

        asked[0] = Both();
        await client.GetAsync($"{Tree}/8", "8", cancellationToken);
        await client.GetAsync($"{Tree}/large", "large", cancellationToken);
        asked[1] = Both();
        await client.GetAsync($"{Tree}/9", "9", cancellationToken);
        asked[2] = Both();

        await Assert.That(asked).IsEquivalentTo([0, 2, 2]);

        int Both() => federation.Cache.Requests.Count(r => r.Method == "GET" && r.Headers["Want-Digest"] is not null);
    }

    [Test]
    public async Task Wrong_bytes_are_never_published_and_another_server_is_asked(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation, OneByOne);
        byte[][] objects = Store(federation);
        federation.Cache.Faults.Add("GET", $"{Tree}/7", FaultAction.FlipByte(100));

        TreeResult result = await client.GetTreeAsync(Tree, "out", cancellationToken);

        await Assert.That(result.Objects).IsEqualTo(Count);
        await Assert.That(Bytes.AreIn(client.File("out/7"), objects[7])).IsTrue();
        await Assert.That(federation.Origin.Requests.Any(r => r.Is("GET", $"{Tree}/7"))).IsTrue();
    }

    [Test]
    [Arguments("cut")]
    [Arguments("digest")]
    [Arguments("none")]
    [Arguments("405")]
    [Arguments("500")]
    public async Task What_the_question_spoils_is_asked_for_without_it(string fault, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation, OneByOne);
        byte[][] objects = Store(federation);
        federation.Cache.Faults.Add(new Fault(r => r.Is("GET", $"{Tree}/7") && r.Headers["Want-Digest"] is not null, fault switch
        {
            "cut" => FaultAction.CutAfter(1000, Ending.Close),
            "digest" => FaultAction.Header("Digest", "crc32c=00000000"),
            "none" => FaultAction.Header("Digest", null),
            _ => FaultAction.Answer(int.Parse(fault, null), "no digest"),
        }, times: 1));

        TreeResult result = await client.GetTreeAsync(Tree, "out", cancellationToken);

        await Assert.That(result.Objects).IsEqualTo(Count);
        await Assert.That(result.Failed).IsEqualTo(0);
        await Assert.That(Bytes.AreIn(client.File("out/7"), objects[7])).IsTrue();
        await Assert.That(federation.Origin.Requests.Any(r => r.Is("GET", $"{Tree}/7") && r.Headers["Want-Digest"] is not null)).IsFalse();
    }

    private static byte[][] Store(TestFederation federation)
    {
        byte[][] objects = [.. Enumerable.Range(0, Count).Select(i => Bytes.Random(3000 + i))];
        for (int i = 0; i < Count; i++)
        {
            federation.Origin.Store($"{Tree}/{i}", objects[i]);
        }

        return objects;
    }
}
