using Microsoft.Extensions.Logging.Abstractions;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

public sealed class TreeJournalTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pelican-test-").FullName;

    private static readonly StorePatience Patience = new("job", NullLogger.Instance, TimeProvider.System, CancellationToken.None);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task An_upload_that_left_nothing_is_not_begun()
    {
        using JobStore store = JobStore.Open(_folder + "/db");
        TransferRow transfer = new() { Position = 0, Id = "transfer", Operation = "put", Source = "/src", Destination = "pelican://f/demo" };
        await store.CreateAsync(new NewJob("job", DateTimeOffset.UnixEpoch, null, [transfer]));
        long job = (await store.TakeAsync([], DateTimeOffset.UnixEpoch))!.Job.Seq;
        TreeListener told = (await TreeJournal.OpenAsync(store, Patience, job, transfer, Direction.Upload)).Listen(_ => { }, _ => { });
        told.Begins(Item("gone"), new TransferProgress());
        told.Begins(Item("left"), new TransferProgress());
        told.TakesBack(Item("gone"));

        TreeListener again = (await TreeJournal.OpenAsync(store, Patience, job, transfer, Direction.Upload)).Listen(_ => { }, _ => { });

        await Assert.That((again.WasBegun(Item("gone")), again.WasBegun(Item("left")))).IsEqualTo((false, true));
    }

    [Test]
    public async Task What_was_there_before_an_upload_is_not_its_own()
    {
        using JobStore store = JobStore.Open(_folder + "/db");
        TransferRow transfer = new() { Position = 0, Id = "transfer", Operation = "put", Source = "/src", Destination = "pelican://f/demo" };
        await store.CreateAsync(new NewJob("job", DateTimeOffset.UnixEpoch, null, [transfer]));
        long job = (await store.TakeAsync([], DateTimeOffset.UnixEpoch))!.Job.Seq;
        TreeJournal first = await TreeJournal.OpenAsync(store, Patience, job, transfer, Direction.Upload);
        TreeListener told = first.Listen(_ => { }, _ => { });
        told.Ended(new TreeOutcome(Item("sent"), null, Result(wasThere: false), null));
        told.Ended(new TreeOutcome(Item("there"), null, Result(wasThere: true), null));
        await first.FlushAsync();

        TreeListener again = (await TreeJournal.OpenAsync(store, Patience, job, transfer, Direction.Upload)).Listen(_ => { }, _ => { });

        await Assert.That((again.IsDone(Item("sent")), again.WasBegun(Item("sent")))).IsEqualTo((true, true));
        await Assert.That((again.IsDone(Item("there")), again.WasBegun(Item("there")))).IsEqualTo((false, false));
    }

    private static TreeItem Item(string path) => new(path, "/src/" + path, "pelican://f/demo/" + path, 1, DateTimeOffset.UnixEpoch);

    private static TransferResult Result(bool wasThere) => new()
    {
        Source = "",
        Destination = "",
        Size = 1,
        WasThere = wasThere,
        Server = "",
        Elapsed = TimeSpan.Zero,
        Verification = Verification.Verified,
    };
}
