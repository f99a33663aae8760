using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Pelican.Commands;
using Pelican.Federation;
using Pelican.Tests.FederationTests;
using Pelican.Tests.Server;
using Pelican.Tests.Support;

namespace Pelican.Tests.Model;

/// <summary>What one of our operations does to the names that it holds until it has ended.</summary>
internal enum Deed
{
    /// <summary>A download.</summary>
    Get,

    /// <summary>An upload that may replace nothing.</summary>
    Put,

    /// <summary>An upload with <c>--overwrite</c>.</summary>
    Replace,

    /// <summary>A removal.</summary>
    Delete,
}

/// <summary>One operation of ours that has begun.</summary>
/// <param name="Deed">What it does.</param>
/// <param name="Contents">The names it is about, with what it sends there; of others it sends nothing.</param>
/// <param name="Local">Where a download goes to.</param>
/// <param name="Job">The job; null for a command.</param>
internal sealed record Operation(Deed Deed, IReadOnlyDictionary<string, byte[]> Contents, string Local, string? Job)
{
    /// <summary>What the second user has written meanwhile.</summary>
    public Dictionary<string, byte[]> Foreign { get; } = [];

    /// <summary>Whether it is about a tree.</summary>
    public bool IsTree => Contents.Count > 1;
}

/// <summary>
/// The model: for each name, what is at the origin. It learns what one of our operations has left when that has ended, and judges
/// it; no two of ours are about one name at once.
/// </summary>
internal sealed class ModelRun(TestFederation federation, PublishedDaemon daemon, Random random)
{
    private const string Top = "/demo/model";
    private const int JobsAtOnce = 4;

    private static readonly string[][] Places =
        [.. Enumerable.Range(0, 8).Select(i => (string[])[$"{Top}/o{i}"]), .. Enumerable.Range(0, 3).Select(i => (string[])[$"{Top}/t{i}/a", $"{Top}/t{i}/b c", $"{Top}/t{i}/sub/%41"])];

    private readonly string _folder = Directory.CreateDirectory(Path.Combine(federation.Root, "local")).FullName;
    private readonly PublishedExecutable _executable = PublishedExecutable.Find();
    private readonly Dictionary<string, byte[]?> _there = Places.SelectMany(names => names).ToDictionary(name => name, _ => (byte[]?)null);
    private readonly List<Operation> _running = [];
    private readonly SortedDictionary<string, int> _counts = [];
    private readonly List<string> _story = [];

    public List<string> Wrong { get; } = [];

    public int Steps { get; private set; }

    public string Counts => string.Join(", ", _counts.Select(count => $"{count.Key} {count.Value}"));

    public string Story => string.Join('\n', _story.TakeLast(60));

    private bool IsXrootd => federation.Origin.Dialect.IsXrootd;

    public async Task StepAsync(CancellationToken cancellationToken)
    {
        Steps++;
        switch (random.Next(20))
        {
            case < 3:
                await WriteAsSomebodyElseAsync(cancellationToken);
                break;
            case 3:
                DeleteAsSomebodyElse();
                break;
            case < 10 when _running.Count < JobsAtOnce:
                await SubmitAsync(cancellationToken);
                break;
            case < 14:
                await CommandAsync(cancellationToken);
                break;
            case 14 when _running.Count > 0:
                await CancelAsync(cancellationToken);
                break;
            case 15:
                await KillAsync();
                break;
            case > 15 when _running.Count > 0:
                await EndAsync(Any(_running), cancellationToken);
                break;
            default:
                await SubmitOrEndAsync(cancellationToken);
                break;
        }
    }

    /// <summary>Waits for everything that runs, and looks at everything.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        while (_running.Count > 0)
        {
            await EndAsync(_running[0], cancellationToken);
        }

        foreach (string name in _there.Keys)
        {
            Expect(name, [_there[name]], "in the end");
        }
    }

    private Task SubmitOrEndAsync(CancellationToken cancellationToken) =>
        _running.Count < JobsAtOnce ? SubmitAsync(cancellationToken) : EndAsync(Any(_running), cancellationToken);

    // Where a server has no condition for a PUT, nobody can write between our look and our PUT and be safe: there only what is free.
    private async Task WriteAsSomebodyElseAsync(CancellationToken cancellationToken)
    {
        string name = Any(_there.Keys.ToArray());
        Operation? ours = _running.Find(one => one.Contents.ContainsKey(name));
        if (ours is not null && (IsXrootd || ours.Deed != Deed.Put))
        {
            return;
        }

        byte[] content = Content();
        Answer answer = await federation.AskAsync("PUT", Escaped(federation.Origin.Url + name), cancellationToken, Convert.ToHexString(content));
        Tell($"somebody else writes {name}: {answer.Status}");
        if (answer.Status is 200 or 201)
        {
            byte[] bytes = System.Text.Encoding.ASCII.GetBytes(Convert.ToHexString(content));
            (ours is null ? _there! : ours.Foreign)[name] = bytes;
        }
    }

    private void DeleteAsSomebodyElse()
    {
        string name = Any(_there.Keys.ToArray());
        if (!_running.Exists(one => one.Contents.ContainsKey(name)))
        {
            Tell($"somebody else deletes {name}");
            if (_there[name] is not null)
            {
                File.Delete(federation.Origin.FileOf(name));
                _there[name] = null;
            }
        }
    }

    private (Deed Deed, string[] Names, string Remote, string Local)? Next(bool deletes)
    {
        string[][] free = [.. Places.Where(names => !_running.Exists(one => names.Any(one.Contents.ContainsKey)))];
        if (free.Length == 0)
        {
            return null;
        }

        string[] names = Any(free);
        Deed deed = Any<Deed>(deletes ? [Deed.Get, Deed.Put, Deed.Replace, Deed.Delete] : [Deed.Get, Deed.Put, Deed.Put, Deed.Replace]);
        string remote = string.Join('/', names[0].Split('/')[..4]);
        return (deed, names, remote, Path.Combine(_folder, $"{Steps}"));
    }

    private Operation Begin(Deed deed, string[] names, string remote, string local, string? job)
    {
        Dictionary<string, byte[]> contents = names.ToDictionary(name => name, _ => deed is Deed.Put or Deed.Replace ? Content() : []);
        foreach ((string name, byte[] content) in deed is Deed.Put or Deed.Replace ? contents : [])
        {
            string file = local + name[remote.Length..];
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, content);
        }

        return new Operation(deed, contents, local, job);
    }

    private async Task SubmitAsync(CancellationToken cancellationToken)
    {
        if (Next(deletes: false) is not var (deed, names, remote, local))
        {
            return;
        }

        Operation operation = Begin(deed, names, remote, local, null);
        string url = federation.UrlOf(Escaped(remote));
        (string source, string destination) = deed == Deed.Get ? (url, local) : (local, url);
        string body = $$"""
            {"transfers":[{"operation":"{{(deed == Deed.Get ? "get" : "put")}}","source":"{{source}}","destination":"{{destination}}","recursive":{{(names.Length > 1 ? "true" : "false")}} }],
            "options":{"overwrite":{{(deed == Deed.Replace ? "true" : "false")}} } }
            """;
        (HttpStatusCode status, JsonElement answer) = await daemon.SendAsync("POST", "/jobs", body, cancellationToken);
        if (status != HttpStatusCode.Created)
        {
            throw new InvalidOperationException(answer.ToString());
        }

        Count($"{deed} job");
        Tell($"job {deed} {remote}");
        _running.Add(operation with { Job = answer.GetProperty("job_id").GetString() });
    }

    private async Task CancelAsync(CancellationToken cancellationToken)
    {
        Operation operation = Any(_running);
        Count("cancel");
        Tell($"cancel {operation.Deed} {operation.Contents.Keys.First()}");
        await daemon.SendAsync("DELETE", "/jobs/" + operation.Job, null, cancellationToken);
        await EndAsync(operation, cancellationToken);
    }

    private async Task KillAsync()
    {
        Count("kill -9 of the server");
        Tell("kill -9, restart");
        daemon.Kill();
        await daemon.StartAgainAsync();
    }

    private async Task EndAsync(Operation operation, CancellationToken cancellationToken)
    {
        (_, JsonElement job) = await daemon.SendAsync("GET", $"/jobs/{operation.Job}?wait=600s", null, cancellationToken);
        _running.Remove(operation);
        string status = job.GetProperty("status").GetString()!;
        await JudgeAsync(operation, status == "completed", $"{status} {Text(job, "error")}", cancellationToken);
    }

    private static string Text(JsonElement job, string name) => job.TryGetProperty(name, out JsonElement value) ? value.ToString() : "";

    // A command that runs to its end, or is killed, or asked to stop: at once, or when its PUT has come.
    private async Task CommandAsync(CancellationToken cancellationToken)
    {
        if (Next(deletes: true) is not var (deed, names, remote, local))
        {
            return;
        }

        Operation operation = Begin(deed, names, remote, local, null);
        string url = federation.UrlOf(Escaped(remote));
        List<string> words = ["-q", "object", deed switch { Deed.Get => "get", Deed.Delete => "delete", _ => "put" }];
        words.AddRange(names.Length > 1 ? ["-r"] : []);
        words.AddRange(deed == Deed.Replace ? ["--overwrite"] : []);
        words.AddRange(deed switch { Deed.Get => [url, local], Deed.Delete => [url], _ => [local, url] });
        HashSet<Request> before = [.. federation.Origin.Requests];
        ProcessStartInfo start = new(_executable.Path, words) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment.Clear();
        start.Environment["HOME"] = _folder;
        start.Environment["PELICAN_SERVER_TLSCACERTIFICATEFILE"] = federation.CaFile;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
        string end = Any<string>(["", "", "", "kill -9", "TERM"]);
        if (end.Length > 0)
        {
            Task first = federation.Origin.WaitForRequestAsync(request => !before.Contains(request) && request.Path.StartsWith(remote, StringComparison.Ordinal) && (random.Next(3) == 0 || request.Method is "PUT" or "DELETE" or "GET"), cancellationToken);
            await Task.WhenAny(first, process.WaitForExitAsync(cancellationToken));
            _ = Posix.Kill(process.Id, end == "TERM" ? 15 : 9);
        }

        await process.WaitForExitAsync(cancellationToken);
        Count($"{deed} command {end}".Trim());
        await JudgeAsync(operation, process.ExitCode == 0, $"command {end}, exit {process.ExitCode}: {(await error).Trim()}", cancellationToken);
    }

    private async Task JudgeAsync(Operation operation, bool succeeded, string told, CancellationToken cancellationToken)
    {
        // The server may still be at work for one that was killed.
        await Task.WhenAll(federation.Origin.Requests.Where(request => operation.Contents.ContainsKey(request.Path)).Select(request => request.Answered)).WaitAsync(cancellationToken);
        Tell($"{operation.Deed} {operation.Contents.Keys.First()}: {(succeeded ? "succeeded" : "failed")}, {told}");
        foreach ((string name, byte[] content) in operation.Contents)
        {
            byte[]? before = _there[name];
            IEnumerable<byte[]?> may = operation.Foreign.TryGetValue(name, out byte[]? foreign) ? [foreign]
                : operation.Deed switch
                {
                    Deed.Get => [before],
                    Deed.Delete => succeeded ? [null] : [before, null],
                    Deed.Put when before is not null => [before],
                    _ => succeeded ? [content] : [before, null, content],
                };
            bool part = !succeeded && foreign is null && (operation.Deed == Deed.Replace || (operation.Deed == Deed.Put && before is null));
            Expect(name, may, told, part ? content : null);
            if (operation.Deed == Deed.Get && succeeded)
            {
                CompareLocal(operation, name, before);
            }

            bool refused = operation.Deed == Deed.Put && before is not null && foreign is null;
            if (succeeded && refused && !before.AsSpan().SequenceEqual(content))
            {
                Wrong.Add($"{name} is said to be stored, and something else was there");
            }
        }

        if (Directory.Exists(operation.Local))
        {
            Directory.Delete(operation.Local, true);
        }

        File.Delete(operation.Local);
    }

    private void CompareLocal(Operation operation, string name, byte[]? before)
    {
        string file = operation.IsTree ? operation.Local + name[$"{Top}/t0".Length..] : operation.Local;
        if (before is null ? File.Exists(file) : !File.Exists(file) || !Bytes.AreIn(file, before))
        {
            Wrong.Add($"{name} was got, and {file} is not what is there");
        }
    }

    private void Expect(string name, IEnumerable<byte[]?> may, string told, byte[]? partOf = null)
    {
        string file = federation.Origin.FileOf(name);
        byte[]? found = File.Exists(file) ? File.ReadAllBytes(file) : null;
        bool isPart = found is not null && partOf is not null && found.Length < partOf.Length && partOf.AsSpan().StartsWith(found);
        if (!isPart && !may.Any(one => one is null ? found is null : found is not null && found.AsSpan().SequenceEqual(one)))
        {
            Wrong.Add($"{name}: {found?.Length.ToString(CultureInfo.InvariantCulture) ?? "nothing"} is there instead of "
                + $"{string.Join(" or ", may.Select(one => one?.Length.ToString(CultureInfo.InvariantCulture) ?? "nothing"))} bytes ({told})");
        }

        _there[name] = found;
    }

    private static string Escaped(string path) => path.Replace("%", "%25", StringComparison.Ordinal).Replace(" ", "%20", StringComparison.Ordinal);

    private byte[] Content()
    {
        byte[] content = new byte[random.Next(12) switch { 0 => 0, < 9 => random.Next(1, 60_000), < 11 => random.Next(100_000, 600_000), _ => 3_000_000 }];
        random.NextBytes(content);
        return content;
    }

    private T Any<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];

    private void Count(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;

    private void Tell(string what) => _story.Add($"{Steps}: {what}");
}
