using System.Text.Json;
using Pelican.Federation;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

/// <summary>get, put, copy and delete with <c>-r</c>.</summary>
public sealed class ObjectTreeTests
{
    [Test]
    [Arguments("get", "put", "delete", "-r")]
    [Arguments("copy", "copy", "delete", "--recursive")]
    public async Task A_tree_makes_the_round_trip(string get, string put, string delete, string flag)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        shell.Write("src/a", "1");
        shell.Write("src/sub/b", "22");
        Directory.CreateDirectory(shell.File("src/empty"));

        ShellResult up = await shell.RunAsync("object", put, flag, "src", federation.UrlOf("/demo/tree"));
        ShellResult down = await shell.RunAsync("object", get, flag, federation.UrlOf("/demo/tree"), "got");
        ShellResult away = await shell.RunAsync("object", delete, flag, federation.UrlOf("/demo/tree"));

        await Assert.That((up.Status, down.Status, away.Status)).IsEqualTo((0, 0, 0));
        await Assert.That(up.Error).StartsWith("2 objects, 3 B in ");
        await Assert.That(down.Error).StartsWith("2 objects, 3 B in ");
        await Assert.That(away.Error).IsEqualTo($"Deleted 2 objects and 3 collections of {federation.UrlOf("/demo/tree")}\n");
        await Assert.That(await File.ReadAllTextAsync(shell.File("got/sub/b"))).IsEqualTo("22");
        await Assert.That(Directory.Exists(shell.File("got/empty"))).IsTrue();
        await Assert.That(federation.Origin.Exists("/demo/tree")).IsFalse();
    }

    [Test]
    public async Task The_URL_may_say_it_and_each_object_is_a_line_of_JSON()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        shell.Write("src/a", "1");
        shell.Write("src/sub/b", "22");

        ShellResult up = await shell.RunAsync("object", "put", "--json", "src", federation.UrlOf("/demo/tree?recursive"));
        ShellResult down = await shell.RunAsync("object", "get", "--json", "--transfer-stats", "stats", federation.UrlOf("/demo/tree?recursive"), "got");
        ShellResult away = await shell.RunAsync("object", "delete", "--json", federation.UrlOf("/demo/tree?recursive"));

        await Assert.That(Lines(up).Select(line => line.GetProperty("destination").GetString()!)).IsEquivalentTo(
            [federation.UrlOf("/demo/tree/a"), federation.UrlOf("/demo/tree/sub/b")]);
        await Assert.That(Lines(down).Select(line => line.GetProperty("destination").GetString()!)).IsEquivalentTo(
            [shell.File("got/a"), shell.File("got/sub/b")]);
        await Assert.That(Lines(away).Select(line => line.GetProperty("deleted").GetString()!)).IsEquivalentTo(
        [
            federation.UrlOf("/demo/tree/a"), federation.UrlOf("/demo/tree/sub/b"), federation.UrlOf("/demo/tree/sub"), federation.UrlOf("/demo/tree"),
        ]);
        JsonElement stats = JsonDocument.Parse(await File.ReadAllTextAsync(shell.File("stats"))).RootElement;
        await Assert.That(stats.GetArrayLength()).IsEqualTo(2);
    }

    [Test]
    public async Task Running_it_again_says_what_is_there_already()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        shell.Write("src/a", "1");
        shell.Write("src/sub/b", "22");
        await shell.RunAsync("object", "put", "-r", "src", federation.UrlOf("/demo/tree"));
        await shell.RunAsync("object", "get", "-r", federation.UrlOf("/demo/tree"), "got");
        shell.Write("src/c", "333");

        ShellResult plan = await shell.RunAsync("object", "put", "-r", "--dry-run", "src", federation.UrlOf("/demo/tree"));
        ShellResult up = await shell.RunAsync("object", "put", "-r", "--json", "src", federation.UrlOf("/demo/tree"));
        ShellResult planned = await shell.RunAsync("object", "get", "-r", "--dry-run", federation.UrlOf("/demo/tree"), "got");
        ShellResult down = await shell.RunAsync("object", "get", "-r", federation.UrlOf("/demo/tree"), "got");
        ShellResult one = await shell.RunAsync("object", "put", "-r", "src/a", federation.UrlOf("/demo/tree/a"));

        await Assert.That((plan.Status, up.Status, planned.Status, down.Status, one.Status)).IsEqualTo((0, 0, 0, 0, 0));
        await Assert.That(plan.Output).IsEqualTo($"UPLOAD: {shell.File("src/c")} -> /demo/tree/c\n");
        await Assert.That(up.Error).StartsWith("1 object, 3 B in ").And.EndsWith("; 2 already there\n");
        JsonElement there = Lines(up).Single(line => line.GetProperty("source").GetString() == shell.File("src/sub/b"));
        await Assert.That((there.GetProperty("already_there").GetBoolean(), there.GetProperty("bytes_transferred").GetInt64())).IsEqualTo((true, 0));
        await Assert.That(Lines(up).Count(line => line.TryGetProperty("already_there", out _))).IsEqualTo(2);
        await Assert.That(planned.Output).IsEqualTo($"DOWNLOAD: /demo/tree/c -> {shell.File("got/c")}\n");
        await Assert.That(down.Error).StartsWith("1 object, 3 B in ").And.EndsWith("; 2 already there\n");
        await Assert.That(one.Error).StartsWith("Nothing to upload: a is at ").And.EndsWith(" already: 1 B, md5 verified\n");
    }

    [Test]
    public async Task What_fails_is_told_and_decides_the_status()
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [] });
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/tree/a", "1");
        federation.Origin.Store("/public/tree/b", "1");
        federation.Origin.Store("/public/tree/sub/c", "1");
        federation.Origin.Faults.Add("GET", "/public/tree/b", FaultAction.Answer(404, "gone"));
        federation.Origin.Faults.Add("PROPFIND", "/public/tree/sub", FaultAction.Answer(503, "busy"));

        ShellResult result = await shell.RunAsync("object", "get", "-r", "--json", federation.UrlOf("/public/tree"), "got");

        await Assert.That(result.Status).IsEqualTo(Errors.NotFound.ExitStatus);
        await Assert.That(result.Error).Contains("1 object, 1 B in ").And.Contains("; 2 failed\n").And.DoesNotContain("retryable");
        JsonElement[] failures = [.. Lines(result).Where(line => line.TryGetProperty("error", out _))];
        await Assert.That(failures.Select(line => line.GetProperty("source").GetString()!)).IsEquivalentTo(
            [federation.UrlOf("/public/tree/b"), federation.UrlOf("/public/tree/sub")]);
    }

    [Test]
    public async Task An_object_is_told_as_one()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/a", "1");

        ShellResult result = await shell.RunAsync("object", "get", "-r", federation.UrlOf("/public/a"), "got");

        await Assert.That(result.Error).StartsWith("Downloaded a: 1 B in ");
        await Assert.That(await File.ReadAllTextAsync(shell.File("got"))).IsEqualTo("1");
    }

    [Test]
    public async Task What_is_left_out_is_a_warning_and_counted()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        shell.Write("src/a", "1");
        Directory.CreateSymbolicLink(shell.File("src/link"), "/");

        ShellResult result = await shell.RunAsync("object", "put", "-r", "src", federation.UrlOf("/demo/tree"));

        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(result.Error).StartsWith($"Warning: '{shell.File("src/link")}' is a link to a directory: it is left out\n1 object, 1 B in ")
            .And.EndsWith("; 1 left out\n");
    }

    [Test]
    public async Task A_dry_run_says_what_would_be_done_and_does_nothing()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/tree/sub/a", "1");
        shell.Write("src/sub/b", "1");

        ShellResult get = await shell.RunAsync("object", "get", "-r", "--dry-run", federation.UrlOf("/public/tree"), "got");
        ShellResult put = await shell.RunAsync("object", "put", "-r", "--dry-run", "src", federation.UrlOf("/demo/tree"));

        await Assert.That(get).IsEqualTo(new ShellResult(0, $"DOWNLOAD: /public/tree/sub/a -> {shell.File("got/sub/a")}\n", ""));
        await Assert.That(put).IsEqualTo(new ShellResult(0, $"UPLOAD: {shell.File("src/sub/b")} -> /demo/tree/sub/b\n", ""));
        await Assert.That(Directory.Exists(shell.File("got")) || federation.Origin.Exists("/demo/tree")).IsFalse();
    }

    [Test]
    public async Task Sources_are_laid_over_one_another()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/one/sub/a", "1");
        federation.Origin.Store("/public/two/sub/b", "1");
        federation.Origin.Store("/public/two/x", "1");
        federation.Origin.Store("/public/x", "2");
        Directory.CreateDirectory(shell.File("got"));

        ShellResult result = await shell.RunAsync(
            "object", "get", "-r", federation.UrlOf("/public/one"), federation.UrlOf("/public/two"), federation.UrlOf("/public/x"), "got");

        await Assert.That(result.Status).IsEqualTo(4);
        await Assert.That(result.Error).Contains($"Error: '{federation.UrlOf("/public/two/x")}' and '{federation.UrlOf("/public/x")}' would both become '{shell.File("got/x")}'; neither was moved\n");
        await Assert.That(File.Exists(shell.File("got/sub/a")) && File.Exists(shell.File("got/sub/b"))).IsTrue();
        await Assert.That(File.Exists(shell.File("got/x"))).IsFalse();
    }

    [Test]
    [Arguments("/dev/null", 0)]
    [Arguments("file", 10)]
    public async Task Nothing_is_made_of_a_device_or_a_file(string destination, int status)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/tree/sub/a", "1");
        shell.Write("file", "x");

        ShellResult result = await shell.RunAsync("object", "get", "-r", federation.UrlOf("/public/tree"), destination);

        await Assert.That(result.Status).IsEqualTo(status);
        await Assert.That(await File.ReadAllTextAsync(shell.File("file"))).IsEqualTo("x");
    }

    [Test]
    [Arguments("ls")]
    [Arguments("stat")]
    public async Task Where_no_tree_can_be_meant_it_is_refused(string verb)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);

        ShellResult result = await shell.RunAsync("object", verb, federation.UrlOf("/public/a?recursive"));

        await Assert.That(result.Status).IsEqualTo(Errors.NotSupported.ExitStatus);
        await Assert.That(federation.Director.Requests).IsEmpty();
    }

    private static IEnumerable<JsonElement> Lines(ShellResult result) =>
        [.. result.Output.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
}
