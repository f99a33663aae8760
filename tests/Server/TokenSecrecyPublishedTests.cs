using System.Text;
using System.Text.Json;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>Tokens come to the published executable in every way there is; nothing that it writes may have one in it.</summary>
public sealed class TokenSecrecyPublishedTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pelican-token-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task No_file_that_the_server_wrote_has_a_token_in_it(CancellationToken cancellationToken)
    {
        ApiDaemon fixture = new();
        await using ApiDaemon daemon = fixture;
        fixture.EnvironmentToken = "";
        await daemon.StartedAsync();
        string good = daemon.Federation.Issuer.CreateToken("storage.read:/ storage.modify:/", TimeSpan.FromHours(1));
        string bad = daemon.Federation.Issuer.CreateToken("storage.read:/elsewhere", TimeSpan.FromHours(1));
        // The server's own environment.
        await daemon.StopAsync();
        fixture.EnvironmentToken = bad;
        await daemon.StartedAsync();
        daemon.Federation.Origin.Store("/protected/a", Bytes.Random(2_000_000));
        string goodFile = Write("good", good);
        string badFile = Write("bad", bad);

        // A file that is good, one that is refused, a token where a file belongs, in URLs, and where nobody looks for one.
        JsonElement done = await JobAsync($$"""{"operation":"get","source":"{{daemon.Url("/protected/a")}}","destination":"{{_folder}}/a"}""", goodFile);
        JsonElement refused = await JobAsync($$"""{"operation":"get","source":"{{daemon.Url("/protected/a")}}","destination":"{{_folder}}/b"}""", badFile);
        JsonElement put = await JobAsync($$"""{"operation":"put","source":"{{_folder}}/a","destination":"{{daemon.Url("/protected/new")}}"}""", goodFile);
        List<int> answers =
        [
            await StatusAsync("POST", "/stat", $$"""{"url":"{{daemon.Url("/protected/a")}}","options":{"token":"{{goodFile}}"} }"""),
            await StatusAsync("POST", "/stat", $$"""{"url":"{{daemon.Url("/protected/a")}}","options":{"token":"{{badFile}}"} }"""),
            await StatusAsync("POST", "/stat", $$"""{"url":"{{daemon.Url("/protected/a")}}","options":{"token":"{{good}}"} }"""),
            await StatusAsync("POST", "/jobs", $$"""{"transfers":[{"operation":"get","source":"{{daemon.Url("/protected/a")}}?authz=Bearer%20{{good}}","destination":"{{_folder}}/c"}]}"""),
            await StatusAsync("POST", "/jobs", $$"""{"transfers":[{"operation":"get","source":"{{good}}","destination":"{{_folder}}/c"}]}"""),
            await StatusAsync("POST", "/jobs", $$"""{"transfers":[{"operation":"{{good}}","source":"osdf:///a","destination":"{{good}}"}]}"""),
            await StatusAsync("POST", "/jobs", $$"""{"transfers":[],"token":"{{good}}"}"""),
            await StatusAsync("GET", $"/jobs/{good}", null),
            await StatusAsync("GET", $"/jobs?cursor={good}&access_token={good}", null),
            await StatusAsync("GET", "/jobs", null, ("Authorization", $"Bearer {good}"), ("Cookie", good)),
            await StatusAsync("GET", $"/nowhere/{good}", null),
        ];
        // The environment of a program.
        ProgramRun program = await daemon.ProgramAsync(PublishedExecutable.Find().Path,
            ["--debug", "object", "get", "--async", "--wait", daemon.Url("/protected/a"), _folder + "/d"], ("BEARER_TOKEN", good));
        await daemon.StopAsync();

        await Assert.That(done.GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(put.GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(refused.GetProperty("status").GetString()).IsEqualTo("failed");
        await Assert.That(answers).IsEquivalentTo([200, 401, 400, 400, 400, 400, 400, 404, 400, 200, 404], TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That((program.ExitStatus, program.Error)).IsEqualTo((0, program.Error));
        await Assert.That(Finds(program.Output + program.Error + daemon.Said, good, bad)).IsFalse();
        foreach (string file in Directory.EnumerateFiles(daemon.Home, "*", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(_folder))
            .Where(file => !IsTokenFile(file)))
        {
            await Assert.That(Finds(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, cancellationToken)), good, bad)).IsFalse().Because(file);
        }

        async Task<JsonElement> JobAsync(string transfer, string token)
        {
            JsonElement job = (await daemon.SendAsync("POST", "/jobs", $$"""{"transfers":[{{transfer}}],"options":{"token":"{{token}}"} }""", cancellationToken)).Body;
            return await daemon.EndAsync(job.GetProperty("job_id").GetString()!, cancellationToken);
        }

        async Task<int> StatusAsync(string method, string path, string? body, params (string, string)[] headers)
        {
            (int status, JsonElement answer, _) = await daemon.SendAsync(method, path, body, cancellationToken, headers);
            return Finds(answer.GetRawText(), good, bad) ? throw new InvalidOperationException($"The answer to {method} {path.Replace(good, "(token)", StringComparison.Ordinal)} has the token in it: {answer}") : status;
        }
    }

    // Whole, its signature, or its claims.
    private static bool Finds(string text, params string[] tokens) => tokens.Any(token => token.Split('.').Skip(1).Any(part => text.Contains(part, StringComparison.Ordinal)));

    // Where tokens are handed over: readable by their owner alone.
    private bool IsTokenFile(string file) => file == _folder + "/good" || file == _folder + "/bad"
        || (file.Contains("/tokens/", StringComparison.Ordinal) && File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));

    private string Write(string name, string token)
    {
        string file = Path.Combine(_folder, name);
        File.WriteAllText(file, token);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }
}
