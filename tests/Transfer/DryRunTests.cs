using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class DryRunTests
{
    private static readonly TransferOptions DryRun = new() { DryRun = true };

    [Test]
    public async Task A_dry_run_says_where_an_object_would_go_and_moves_nothing(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/a", "123");
        client.Write("b", [1, 2]);

        TransferResult get = await client.GetAsync("/public/a", "new/", cancellationToken, DryRun);
        TransferResult put = await client.PutAsync("b", "/demo/", cancellationToken, DryRun);

        await Assert.That(get.Destination).IsEqualTo(client.File("new/a"));
        await Assert.That(put.Destination).IsEqualTo(client.Url("/demo/b"));
        await Assert.That(client.Files()).IsEquivalentTo(["b"]);
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "PUT")).IsFalse();
        await Assert.That(federation.Cache.Requests.Any(r => r.Method == "GET")).IsFalse();
    }
}
