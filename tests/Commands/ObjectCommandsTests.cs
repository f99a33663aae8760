using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

/// <summary>The verbs in a federation, from the words of the command line to what is printed and left on disk.</summary>
public sealed class ObjectCommandsTests
{
    /// <summary>Of an object that no server has.</summary>
    private static readonly int Missing = Errors.NotFound.ExitStatus;

    private static readonly byte[] Content = Bytes.Random(100_000);

    [Test]
    public async Task Get_puts_an_object_into_a_directory_and_says_how_it_went()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/run 1%.dat", Content);

        ShellResult result = await shell.RunAsync("object", "get", federation.UrlOf("/public/run%201%25.dat"), ".");

        await Assert.That(result.Error).Matches(@"^Downloaded run 1%\.dat: 100\.0 kB in .* from .*:\d+, crc32c verified\n$");
        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(result.Output).IsEqualTo("");
        await Assert.That(Bytes.AreIn(shell.File("run 1%.dat"), Content)).IsTrue();
        await Assert.That(File.GetUnixFileMode(shell.File("run 1%.dat"))).IsEqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Test]
    [Arguments("/public/run1.dat", 3_000_000, "What has arrived of it is kept, 2.0 MB: the same command goes on from there\n")]
    [Arguments("/public/small.dat", 300_000, "Nothing of what was under way is kept: the same command, given again, begins it anew\n")]
    public async Task An_interrupted_download_says_what_is_kept(string path, int size, string said)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store(path, Bytes.Random(size));
        Gate gate = new(size == 300_000 ? 100_000 : 2_000_000);
        federation.Cache.Faults.Add("GET", path, FaultAction.Hold(gate));

        Task<ShellResult> run = shell.RunAsync("object", "get", federation.UrlOf(path), ".");
        await gate.Blocked;
        while (Directory.GetFiles(shell.Folder).Sum(file => new FileInfo(file) is { Exists: true } there ? there.Length : 0) < (size == 300_000 ? 1 : 2_000_000))
        {
            await Task.Yield();
        }

        shell.Interruption.Raise(2);
        ShellResult result = await run;

        await Assert.That(result.Status).IsEqualTo(130);
        await Assert.That(result.Error).EndsWith(said + "Interrupted.\n");
    }

    [Test]
    public async Task Of_several_objects_those_under_way_count_as_interrupted()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        Gate[] gates = [new(), new()];
        federation.Origin.Store("/public/a", Content);
        federation.Origin.Store("/public/b", Content);
        federation.Cache.Faults.Add("GET", "/public/a", FaultAction.Hold(gates[0]));
        federation.Cache.Faults.Add("GET", "/public/b", FaultAction.Hold(gates[1]));

        Task<ShellResult> several = shell.RunAsync("object", "get", federation.UrlOf("/public/a"), federation.UrlOf("/public/b"), ".");
        await Task.WhenAll(gates.Select(gate => gate.Blocked));
        shell.Interruption.Raise(15);

        await Assert.That((await several).Error).Matches("^0 objects, 0 B in .* s; 2 interrupted\n");
    }

    [Test]
    public async Task Listings_have_the_letters_of_ls()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/d/.hidden", Content, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        FakeTimeProvider clock = new();
        clock.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("x", TimeSpan.FromHours(2), "x", "x"));
        shell.With = world => world with { Clock = clock };

        ShellResult human = await shell.RunAsync("object", "ls", "-lah", federation.UrlOf("/public/d"));
        ShellResult exact = await shell.RunAsync("object", "ls", "-l", federation.UrlOf("/public/d"));
        ShellResult stat = await shell.RunAsync("object", "stat", federation.UrlOf("/public/d/.hidden"));

        await Assert.That(human).IsEqualTo(new ShellResult(0, "/public/d/.hidden  100.0 kB  2026-01-02 05:04:05\n", ""));
        await Assert.That(exact).IsEqualTo(new ShellResult(0, "/public/d/.hidden  100000  2026-01-02 05:04:05\n", ""));
        await Assert.That(stat.Output).Contains("\nModTime: 2026-01-02 05:04:05 +0200\n");
    }

    [Test]
    public async Task Several_checksums_stand_in_one_list()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/a", Content);

        ShellResult result = await shell.RunAsync("object", "stat", "--checksums", "crc32c,md5", federation.UrlOf("/public/a"));

        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(result.Output + result.Error).Contains("crc32c").And.Contains("md5");
    }

    [Test]
    public async Task A_dry_run_of_a_removal_removes_nothing()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/demo/d/a", Content);
        federation.Origin.Store("/demo/d/s/b", Content);

        ShellResult one = await shell.RunAsync("object", "delete", "--dry-run", federation.UrlOf("/demo/d/a"));
        ShellResult tree = await shell.RunAsync("object", "delete", "-r", "--dry-run", federation.UrlOf("/demo/d"));
        ShellResult refused = await shell.RunAsync("object", "delete", "--dry-run", federation.UrlOf("/demo/d"));

        await Assert.That(one).IsEqualTo(new ShellResult(0, "DELETE: /demo/d/a\n", ""));
        await Assert.That(tree).IsEqualTo(new ShellResult(0, "DELETE: /demo/d/a\nDELETE: /demo/d/s/b\nDELETE: /demo/d/s\nDELETE: /demo/d\n", ""));
        await Assert.That(refused.Error).StartsWith("Error: '/demo/d' is a collection that is not empty\n");
        await Assert.That(federation.Origin.Requests.Any(request => request.Method == "DELETE")).IsFalse();
    }

    [Test]
    public async Task Get_writes_to_standard_output()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/a", "data\n"u8.ToArray());

        ShellResult result = await shell.RunAsync("-q", "object", "get", federation.UrlOf("/public/a"), "-");

        await Assert.That(result).IsEqualTo(new ShellResult(0, "data\n", ""));
        await Assert.That(Directory.GetFiles(shell.Folder)).IsEmpty();
    }

    [Test]
    public async Task One_object_that_fails_does_not_stop_the_others()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        string[] names = [.. Enumerable.Range(0, 12).Select(i => $"n{i}")];
        Array.ForEach(names, name => federation.Origin.Store("/public/" + name, Content));
        Directory.CreateDirectory(shell.File("in"));
        string[] urls = [.. names.Append("missing").Order(StringComparer.Ordinal).Select(name => federation.UrlOf("/public/" + name))];

        ShellResult result = await shell.RunAsync(["object", "get", "--json", "--transfer-stats", "stats", .. urls, "in"]);

        await Assert.That(result.Status).IsEqualTo(Missing);
        await Assert.That(result.Error).Contains("\n12 objects, 1.2 MB in ").And.Contains("; 1 failed\n").And.DoesNotContain("retryable");
        await Assert.That(result.Error.Split('\n').Count(line => line.StartsWith("Error: ", StringComparison.Ordinal))).IsEqualTo(1);
        await Assert.That(Directory.GetFiles(shell.File("in")).Select(path => Path.GetFileName(path)!)).IsEquivalentTo(names);
        JsonElement[] lines = [.. result.Output.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        await Assert.That(lines.Length).IsEqualTo(13);
        await Assert.That(lines.Count(line => line.TryGetProperty("error", out _))).IsEqualTo(1);
        await Assert.That(lines.Count(line => line.TryGetProperty("verification", out JsonElement check)
            && check.GetProperty("outcome").GetString() == "verified")).IsEqualTo(12);
        JsonElement stats = JsonDocument.Parse(await File.ReadAllTextAsync(shell.File("stats"))).RootElement;
        await Assert.That(stats.GetArrayLength()).IsEqualTo(13);
        await Assert.That(stats.EnumerateArray().Count(source => source[0].GetProperty("error").ValueKind == JsonValueKind.Null)).IsEqualTo(12);
    }

    [Test]
    [Arguments("missing", "Destination does not exist: 'missing'")]
    [Arguments("file", "Destination is not a directory: 'file'")]
    public async Task Several_objects_need_a_directory(string destination, string message)
    {
        using TestShell shell = new();
        shell.Write("file", "");

        ShellResult result = await shell.RunAsync("object", "get", "osdf:///a/b", "osdf:///a/c", destination);

        await Assert.That(result.Error).StartsWith($"Error: {message}\n");
        await Assert.That(result.Status).IsEqualTo(4);
    }

    [Test]
    public async Task Two_objects_of_one_name_are_not_written_over_one_another()
    {
        using TestShell shell = new();
        shell.Write("a/x", "");
        shell.Write("b/x", "");

        ShellResult get = await shell.RunAsync("object", "get", "osdf:///a/x", "osdf:///b/x", ".");
        ShellResult put = await shell.RunAsync("object", "put", "a/x", "b/x", "osdf:///c/");

        await Assert.That(get.Error).StartsWith("Error: 'osdf:///a/x' and 'osdf:///b/x' would both be written to 'x'\n");
        await Assert.That(put.Error).StartsWith("Error: 'a/x' and 'b/x' would both be written to 'x'\n");
        await Assert.That((get.Status, put.Status)).IsEqualTo((4, 4));
    }

    [Test]
    public async Task A_dry_run_says_what_would_be_done_and_does_nothing()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/a", Content);
        shell.Write("f", "x");

        ShellResult get = await shell.RunAsync("object", "get", "--dry-run", federation.UrlOf("/public/a"), ".");
        ShellResult output = await shell.RunAsync("object", "get", "--dry-run", federation.UrlOf("/public/a"), "-");
        ShellResult missing = await shell.RunAsync("object", "get", "--dry-run", federation.UrlOf("/public/b"), ".");
        ShellResult put = await shell.RunAsync("object", "put", "--dry-run", "f", federation.UrlOf("/demo/f"));

        await Assert.That(get).IsEqualTo(new ShellResult(0, $"DOWNLOAD: /public/a -> {shell.Folder}/./a\n", ""));
        await Assert.That(output).IsEqualTo(new ShellResult(0, "DOWNLOAD: /public/a -> /dev/stdout\n", ""));
        await Assert.That(missing.Status).IsEqualTo(Missing);
        await Assert.That(put).IsEqualTo(new ShellResult(0, $"UPLOAD: {shell.File("f")} -> /demo/f\n", ""));
        await Assert.That(Directory.GetFiles(shell.Folder)).IsEquivalentTo([shell.File("f")]);
    }

    [Test]
    [Arguments("plain")]
    [Arguments("-x")]
    [Arguments("@x")]
    [Arguments("true")]
    [Arguments("http:/y")]
    [Arguments("a b%20#é")]
    public async Task A_local_name_is_taken_as_it_is(string name)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        shell.Write(name, "content");
        string last = Path.GetFileName(name);

        ShellResult put = await shell.RunAsync("object", "put", "--", name, federation.UrlOf("/demo/up/"));
        ShellResult get = await shell.RunAsync("object", "get", "--", federation.UrlOf("/demo/up/" + Uri.EscapeDataString(last)), name + "2");

        await Assert.That(put.Error).StartsWith($"Uploaded {last}: 7 B in ");
        await Assert.That(put.Status).IsEqualTo(0);
        await Assert.That(get.Status).IsEqualTo(0);
        await Assert.That(await File.ReadAllTextAsync(shell.File(name + "2"))).IsEqualTo("content");
    }

    [Test]
    public async Task A_destination_whose_bytes_were_lost_is_not_taken_for_another()
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync("object", "get", "osdf:///a", "d\uFFFD/");

        await Assert.That(result.Status).IsEqualTo(4);
        await Assert.That(result.Error).StartsWith("Error: the destination 'd\uFFFD/' is not UTF-8\n");
    }

    [Test]
    [Arguments("get", "?run1")]
    [Arguments("stat", "?run1")]
    [Arguments("ls", "?v=2")]
    [Arguments("delete", "?v=2")]
    public async Task What_may_be_a_part_of_the_name_is_not_passed_on(string verb, string query)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/a", [.. "content"u8]);

        string[] words = verb == "get" ? [federation.UrlOf("/public/a" + query), "-"] : [federation.UrlOf("/public/a" + query)];

        ShellResult result = await shell.RunAsync(["-q", "object", verb, .. words]);

        await Assert.That((result.Status, result.Output)).IsEqualTo((4, ""));
        await Assert.That(result.Error).Contains("%3F");
        await Assert.That(federation.Director.Requests.Count(_ => true)).IsEqualTo(0);
    }

    [Test]
    public async Task Put_finds_every_mistake_in_its_sources_first()
    {
        using TestShell shell = new();
        shell.Write("there", "");

        ShellResult missing = await shell.RunAsync("object", "put", "there", "missing", "osdf:///a/");
        ShellResult stream = await shell.RunAsync("object", "put", "/dev/ptmx", "osdf:///a");
        ShellResult zeros = await shell.RunAsync("object", "put", "/dev/zero", "osdf:///a");

        await Assert.That(missing.Error).IsEqualTo($"Error: cannot read '{shell.File("missing")}': there is no such file or directory\n");
        await Assert.That(missing.Status).IsEqualTo(4);
        await Assert.That(stream.Error).StartsWith("Error: '/dev/ptmx' is a pipe, a socket or a device");
        await Assert.That(stream.Status).IsEqualTo(8);
        await Assert.That(zeros.Error).StartsWith("Error: '/dev/zero' is a pipe, a socket or a device");
    }

    [Test]
    public async Task Put_replaces_only_when_told_to()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        shell.Write("f", "new");
        federation.Origin.Store("/demo/f", "old"u8.ToArray());

        ShellResult refused = await shell.RunAsync("object", "put", "f", federation.UrlOf("/demo/f"));
        ShellResult replaced = await shell.RunAsync("object", "put", "--overwrite", "f", federation.UrlOf("/demo/f"));

        await Assert.That(refused.Status).IsEqualTo(8);
        await Assert.That(refused.Error).Contains("--overwrite");
        await Assert.That(replaced.Status).IsEqualTo(0);
    }

    [Test]
    public async Task Copy_goes_the_way_that_the_URL_says()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        shell.Write("f", "content");

        ShellResult up = await shell.RunAsync("object", "copy", "f", federation.UrlOf("/demo/f"));
        ShellResult down = await shell.RunAsync("object", "copy", federation.UrlOf("/demo/f"), "g");

        await Assert.That(up.Error).StartsWith("Uploaded f: ");
        await Assert.That(down.Error).StartsWith("Downloaded f: ");
        await Assert.That(await File.ReadAllTextAsync(shell.File("g"))).IsEqualTo("content");
    }

    [Test]
    public async Task Ls_lists_by_name_one_a_line_or_in_columns_or_as_json()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/d/b", "12345"u8.ToArray());
        federation.Origin.Store("/public/d/a\u009b1m", []);
        federation.Origin.Store("/public/d/c/x", []);
        string url = federation.UrlOf("/public/d");

        ShellResult plain = await shell.RunAsync("object", "ls", url);
        ShellResult json = await shell.RunAsync("object", "ls", "--json", url);
        ShellResult objects = await shell.RunAsync("object", "ls", "-O", url);
        ShellResult collections = await shell.RunAsync("object", "ls", "-C", url);
        ShellResult detailed = await shell.RunAsync("object", "ls", "-l", url);
        ShellResult detailedJson = await shell.RunAsync("object", "ls", "-lj", url);
        shell.With = world => world with { OutputIsTerminal = true };
        ShellResult columns = await shell.RunAsync("object", "ls", url);
        ShellResult column = await shell.RunAsync("object", "ls", "-1", url);

        await Assert.That(plain).IsEqualTo(new ShellResult(0, "a\\x9b1m\nb\nc\n", ""));
        await Assert.That(column.Output).IsEqualTo(plain.Output);
        await Assert.That(columns.Output).IsEqualTo("a\\x9b1m  b        c\n");
        await Assert.That(json.Output).IsEqualTo("""["a\u009B1m","b","c"]""" + "\n");
        await Assert.That(objects.Output).IsEqualTo("a\\x9b1m\nb\n");
        await Assert.That(collections.Output).IsEqualTo("c\n");
        await Assert.That(detailed.Output).Matches(@"/public/d/b +5 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n");
        await Assert.That(detailed.Output).Matches(@"/public/d/c +DIR +");
        JsonElement entry = JsonDocument.Parse(detailedJson.Output).RootElement[1];
        await Assert.That((entry.GetProperty("Name").GetString(), entry.GetProperty("Size").GetInt64())).IsEqualTo(("/public/d/b", 5L));
    }

    [Test]
    public async Task A_size_that_no_server_tells_is_shown_as_unknown()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/d/b", "12345"u8.ToArray());
        federation.Origin.Faults.Add("PROPFIND", "/public/d", FaultAction.Spoil((_, reply) =>
        {
            using StreamReader text = new(reply.Body);
            reply.SetBody(System.Text.Encoding.UTF8.GetBytes(text.ReadToEnd().Replace("getcontentlength>", "length>", StringComparison.Ordinal)));
        }));

        ShellResult detailed = await shell.RunAsync("object", "ls", "-l", federation.UrlOf("/public/d"));
        ShellResult json = await shell.RunAsync("object", "ls", "-lj", federation.UrlOf("/public/d"));

        await Assert.That(detailed.Output).Matches(@"^/public/d/b +- +\d{4}-");
        await Assert.That(JsonDocument.Parse(json.Output).RootElement[0].GetProperty("Size").ValueKind).IsEqualTo(JsonValueKind.Null);
    }

    [Test]
    public async Task Ls_prints_names_that_can_be_given_back()
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican], Caches = [Dialect.Pelican] });
        using TestShell shell = new(federation);
        string[] names = ["run", "run?v=2", "a#b", "pc%41"];
        foreach (string name in names)
        {
            federation.Origin.Store("/public/d/" + name, "12345"u8.ToArray());
        }

        ShellResult listed = await shell.RunAsync("object", "ls", federation.UrlOf("/public/d"));

        await Assert.That(listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)).IsEquivalentTo(["a%23b", "pc%2541", "run", "run%3Fv=2"]);
        foreach (string name in listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            await Assert.That((await shell.RunAsync("object", "stat", federation.UrlOf("/public/d/" + name))).Output).Contains($"Name: /public/d/{Uri.UnescapeDataString(name)}\n");
        }
    }

    [Test]
    public async Task A_token_in_a_server_s_text_is_in_no_output()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        const string Secret = "c2VjcmV0LXRoYXQtbXVzdC1uZXZlci1zaG93";
        string text = new string('x', 400) + $" https://h/p?access_token=eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.{Secret}&a=1 authz=Bearer%20{Secret}";
        federation.Origin.Store("/public/a", [1]);
        federation.Cache.Faults.Add(new Fault(request => request.Method == "GET", FaultAction.Answer(400, text)));

        ShellResult result = await shell.RunAsync("object", "get", "--json", federation.UrlOf("/public/a"), "a");

        await Assert.That(result.Status).IsNotEqualTo(0);
        await Assert.That(result.Output + result.Error).DoesNotContain("c2VjcmV0").And.DoesNotContain("eyJpc3Mi");
    }

    [Test]
    public async Task Stat_shows_size_and_checksums()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/a", "123456789"u8.ToArray());
        string url = federation.UrlOf("/public/a");

        ShellResult plain = await shell.RunAsync("object", "stat", "--checksums", "crc32c", url);
        ShellResult json = await shell.RunAsync("object", "stat", "--checksums", "crc32c", "-j", url);

        await Assert.That(plain.Output).Matches(
            @"^Name: /public/a\nSize: 9\nModTime: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC\nIsCollection: false\nChecksums:\n  crc32c: e3069283\n$");
        await Assert.That(JsonDocument.Parse(json.Output).RootElement.GetProperty("checksums").GetProperty("crc32c").GetString()).IsEqualTo("e3069283");
    }

    [Test]
    public async Task Delete_removes_in_order_and_goes_on_after_a_failure()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/demo/c/a", []);

        ShellResult result = await shell.RunAsync("object", "delete", "--json",
            federation.UrlOf("/demo/none"), federation.UrlOf("/demo/c/a"), federation.UrlOf("/demo/c"));
        ShellResult after = await shell.RunAsync("object", "stat", federation.UrlOf("/demo/c"));

        await Assert.That(result.Status).IsEqualTo(8);
        await Assert.That(result.Output.Split('\n')[1..]).IsEquivalentTo([
            $$"""{"deleted":"{{federation.UrlOf("/demo/c/a")}}"}""", $$"""{"deleted":"{{federation.UrlOf("/demo/c")}}"}""", ""]);
        await Assert.That(after.Status).IsEqualTo(Missing);
    }

    [Test]
    public async Task An_error_is_in_the_log_file_too()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);

        ShellResult stat = await shell.RunAsync("object", "stat", "-L", "log", federation.UrlOf("/public/none"));
        ShellResult get = await shell.RunAsync("object", "get", "-L", "log", federation.UrlOf("/public/nothing"), ".");

        await Assert.That((stat.Status, get.Status)).IsEqualTo((Missing, Missing));
        await Assert.That(await File.ReadAllLinesAsync(shell.File("log"))).Count().IsEqualTo(2);
        await Assert.That(await File.ReadAllTextAsync(shell.File("log"))).Contains("error Session: ").And.Contains("'/public/nothing'");
    }

    [Test]
    public async Task A_federation_can_be_named_for_bare_paths()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/public/a", Content);

        ShellResult result = await shell.RunAsync("-f", federation.DiscoveryUrl, "object", "get", "/public/a", "b");

        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(Bytes.AreIn(shell.File("b"), Content)).IsTrue();
    }

    [Test]
    public async Task A_token_is_sent_and_never_shown()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        federation.Origin.Store("/protected/a", Content);
        string token = federation.Issuer.CreateToken("storage.read:/");
        shell.Write("token", token);

        ShellResult result = await shell.RunAsync(
            "object", "get", "--log", "log", "--debug", "-t", "token", federation.UrlOf("/protected/a"), "b");

        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(await File.ReadAllTextAsync(shell.File("log"))).IsNotEmpty().And.DoesNotContain(token.Split('.')[2]);
        await Assert.That(result.Error).DoesNotContain(token.Split('.')[2]);
    }
}
