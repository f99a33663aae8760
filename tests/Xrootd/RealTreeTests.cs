using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Xrootd;

/// <summary>Whole trees against real XRootD servers behind a director.</summary>
[ClassDataSource<RealFederation>(Shared = SharedType.PerTestSession)]
public sealed class RealTreeTests(RealFederation real)
{
    [Test]
    [Arguments("/open")]
    [Arguments("/protected")]
    [Arguments("/plain")]
    public async Task A_tree_makes_the_round_trip_and_goes(string space, CancellationToken cancellationToken)
    {
        using TestClient client = real.CreateClient(space == "/protected" ? XrootdToken.Write : null);
        string top = space + "/whole tree";
        string[] names = [.. Enumerable.Range(0, 300).Select(i => $"d{i % 7}/grün {i % 3}/{i}%41&.bin")];
        foreach ((int i, string name) in names.Index())
        {
            client.Write("src/" + name, Bytes.Random(i * 37, i));
        }

        client.Write("src/large.bin", Bytes.Random(5_000_000));
        Directory.CreateDirectory(client.File("src/empty/inner"));
        string url = top.Replace(" ", "%20", StringComparison.Ordinal);

        TreeResult put = await client.PutTreeAsync("src", url, cancellationToken);
        TreeResult again = await client.PutTreeAsync("src", url, cancellationToken);
        TreeResult get = await client.GetTreeAsync(url, "got", cancellationToken);
        TreeResult getAgain = await client.GetTreeAsync(url, "got", cancellationToken);
        TreeResult gone = await client.DeleteTreeAsync(url, cancellationToken);
        PelicanException missing = await Expect.FailureAsync(client.ListAsync(url, cancellationToken));

        await Assert.That((put.Objects, put.Failure?.Message)).IsEqualTo((301, null));
        await Assert.That((again.Objects, again.Failed, again.Failure?.Message)).IsEqualTo((301, 0, null));
        await Assert.That(again.Already).IsEqualTo(301);
        await Assert.That((get.Objects, get.Failure?.Message)).IsEqualTo((301, null));
        await Assert.That((getAgain.Objects, getAgain.Already, getAgain.Failure?.Message)).IsEqualTo((301, 301, null));
        await Assert.That((gone.Objects, gone.Collections, gone.Failure?.Message)).IsEqualTo((301, 31, null));
        await Assert.That(missing.Row).IsEqualTo(Errors.NotFound);
        string[] files = client.Files();
        await Assert.That(files.Where(f => f.StartsWith("got", StringComparison.Ordinal)).Select(f => f[3..]))
            .IsEquivalentTo(files.Where(f => f.StartsWith("src", StringComparison.Ordinal)).Select(f => f[3..]));
        foreach (string file in files.Where(f => f.StartsWith("src/", StringComparison.Ordinal) && File.Exists(client.File(f))))
        {
            await Assert.That(Bytes.AreIn(client.File("got" + file[3..]), await File.ReadAllBytesAsync(client.File(file), cancellationToken))).IsTrue();
        }
    }

    [Test]
    public async Task A_token_that_may_only_create_uploads_a_tree_and_replaces_nothing(CancellationToken cancellationToken)
    {
        using TestClient client = real.CreateClient(XrootdToken.CreateOnly);
        client.Write("src/sub/a", Bytes.Random(100));
        client.Write("src/b", Bytes.Random(100));

        TreeResult put = await client.PutTreeAsync("src", "/protected/create only", cancellationToken);
        client.Write("src/b", Bytes.Random(200));
        TreeResult again = await client.PutTreeAsync("src", "/protected/create only", cancellationToken);

        await Assert.That((put.Objects, put.Failure?.Message)).IsEqualTo((2, null));
        await Assert.That(again.Objects).IsEqualTo(again.Already); // 5.5 tells such a token no digest
        await Assert.That(again.Failed).IsBetween(1, 2);
        await Assert.That(new FileInfo(real.Xrootd.FilePath(XrootdServer.Https, "/protected/create only/b")).Length).IsEqualTo(100);
    }
}
