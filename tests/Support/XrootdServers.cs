using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using TUnit.Core.Interfaces;

namespace Pelican.Tests.Support;

/// <summary>
/// Real XRootD servers on loopback, run by <c>tests/xrootd/xrootd.sh</c>. Tests share one set by
/// <c>[ClassDataSource&lt;XrootdServers&gt;(Shared = SharedType.PerTestSession)]</c> and choose paths of their own; a
/// test that stops a server starts its own set by <see cref="StartAsync(CancellationToken)"/>: tests run side by side.
/// Where XRootD is not installed such tests are skipped, or fail when <c>CI</c> is set.
/// <c>PELICAN_XROOTD_SUITE</c> chooses the version: <c>bookworm</c>, <c>trixie</c> or <c>sid</c>.
/// </summary>
public sealed partial class XrootdServers : IAsyncInitializer, IAsyncDisposable
{
    private const int NotInstalled = 3;

    private readonly int _owner;
    private readonly string _script = FindScript();
    private string _directory = "";
    private Dictionary<string, string> _env = [];

    /// <summary>For the test framework, which calls <see cref="InitializeAsync()"/> next.</summary>
    public XrootdServers()
        : this(Environment.ProcessId)
    {
    }

    private XrootdServers(int owner) => _owner = owner;

    /// <summary><c>bookworm</c>, <c>trixie</c> or <c>sid</c>.</summary>
    public string Suite => _env["SUITE"];

    /// <summary>XRootD's version, <c>5.5.3</c> for example.</summary>
    public Version Version => Version.Parse(_env["VERSION"]);

    /// <summary>PEM file of the authority that signed all certificates here.</summary>
    public string CaFile => _env["CA_FILE"];

    /// <summary>The <c>iss</c> of good tokens.</summary>
    public Uri IssuerUrl => Url(XrootdServer.Issuer);

    /// <summary>Base of <see cref="XrootdServer.Http"/>.</summary>
    public Uri Http => Url(XrootdServer.Http);

    /// <summary>Base of <see cref="XrootdServer.Https"/>.</summary>
    public Uri Https => Url(XrootdServer.Https);

    /// <summary>Base of <see cref="XrootdServer.Https2"/>.</summary>
    public Uri Https2 => Url(XrootdServer.Https2);

    /// <summary>Base of <see cref="XrootdServer.Cache"/>.</summary>
    public Uri Cache => Url(XrootdServer.Cache);

    /// <summary>Base of <see cref="XrootdServer.Cache2"/>.</summary>
    public Uri Cache2 => Url(XrootdServer.Cache2);

    /// <summary>Starts a set of servers for the caller alone: about half a second.</summary>
    public static Task<XrootdServers> StartAsync(CancellationToken cancellationToken) =>
        StartAsync(Environment.ProcessId, cancellationToken);

    /// <summary>The same, to end with the process <paramref name="owner"/> instead of this one.</summary>
    public static async Task<XrootdServers> StartAsync(int owner, CancellationToken cancellationToken)
    {
        XrootdServers servers = new(owner);
        await servers.InitializeAsync(cancellationToken);
        return servers;
    }

    /// <summary>Starts the servers; called by the test framework.</summary>
    public Task InitializeAsync() => InitializeAsync(CancellationToken.None);

    /// <summary>Base URL of a server; it stays the same when the server is stopped and started again.</summary>
    public Uri Url(XrootdServer server) => new(_env[Key(server, "URL")]);

    /// <summary>The directory that holds a server's objects; of a cache, what it keeps.</summary>
    public string DataDirectory(XrootdServer server) => _env[Key(server, "DATA")];

    /// <summary>Where an origin keeps the object <paramref name="path"/> on disk.</summary>
    public string FilePath(XrootdServer server, string path) => Path.Join(DataDirectory(server), path);

    /// <summary>A server's log: requests, decisions on tokens, errors.</summary>
    public string LogFile(XrootdServer server) => _env[Key(server, "LOG")];

    /// <summary>One of the ready-made tokens.</summary>
    public string Token(XrootdToken token) =>
        _env["TOKEN_" + string.Concat(token.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? $"_{c}" : $"{c}"))
            .ToUpperInvariant()];

    /// <summary>
    /// Makes another token by the options of <c>xrootd.sh token</c>: <c>"--scope", "storage.read:/sub"</c> for one.
    /// </summary>
    public async Task<string> MakeTokenAsync(string[] options, CancellationToken cancellationToken) =>
        (await RunAsync(["token", _directory, .. options], cancellationToken)).Trim();

    /// <summary>A client that trusts <see cref="CaFile"/> and nothing else.</summary>
    public HttpClient CreateClient()
    {
        X509ChainPolicy trust = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        trust.CustomTrustStore.ImportFromPemFile(CaFile);
        SocketsHttpHandler handler = new() { UseProxy = false };
        handler.SslOptions.CertificateChainPolicy = trust;
        return new HttpClient(handler);
    }

    /// <summary>Puts an object onto an origin's disk, owned by the server, with the directories above it.</summary>
    /// <returns>The file's path.</returns>
    public async Task<string> PutAsync(
        XrootdServer server, string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string file = FilePath(server, path);
        Stack<string> missing = new([file]);
        string folder = Path.GetDirectoryName(file)!;
        for (string above = folder; !Directory.Exists(above); above = Path.GetDirectoryName(above)!)
        {
            missing.Push(above);
        }

        Directory.CreateDirectory(folder);
        await File.WriteAllBytesAsync(file, content, cancellationToken);
        foreach (string made in missing)
        {
            GiveToServers(made);
        }

        return file;
    }

    /// <summary>What a server was asked by HTTP so far, oldest first, and what it answered.</summary>
    public async Task<IReadOnlyList<XrootdRequest>> ReadRequestsAsync(
        XrootdServer server, CancellationToken cancellationToken) =>
        XrootdLog.Parse(await File.ReadAllLinesAsync(LogFile(server), cancellationToken));

    /// <summary>
    /// Stops one server, or kills it in the middle of whatever it does; nothing listens on its port until
    /// <see cref="StartServerAsync"/>.
    /// </summary>
    public Task StopServerAsync(XrootdServer server, bool kill, CancellationToken cancellationToken) =>
        RunAsync(["down", _directory, Name(server), .. kill ? (string[])["--kill"] : []], cancellationToken);

    /// <summary>Starts a stopped server again on the port it had; its log goes on.</summary>
    public Task StartServerAsync(XrootdServer server, CancellationToken cancellationToken) =>
        RunAsync(["up", _directory, Name(server)], cancellationToken);

    /// <summary>The process of a server.</summary>
    public int ProcessId(XrootdServer server) =>
        int.Parse(File.ReadAllText(Path.Join(_directory, "run", Name(server), "pid")), CultureInfo.InvariantCulture);

    /// <summary>Stops all servers and deletes all that they stored.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_directory.Length == 0)
        {
            return;
        }

        await RunAsync(["stop", _directory, "--remove"], CancellationToken.None);
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private static string Name(XrootdServer server) => server.ToString().ToLowerInvariant();

    private static string Key(XrootdServer server, string what) => $"{server.ToString().ToUpperInvariant()}_{what}";

    private static string FindScript()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string script = Path.Join(folder, "tests/xrootd/xrootd.sh");
            if (File.Exists(script))
            {
                return script;
            }
        }

        throw new FileNotFoundException($"No directory above {AppContext.BaseDirectory} has tests/xrootd/xrootd.sh.");
    }

    private async Task InitializeAsync(CancellationToken cancellationToken)
    {
        _directory = Directory.CreateTempSubdirectory("pelican-xrootd-").FullName;
        try
        {
            await RunAsync(["start", _directory, "--owner", $"{_owner}"], cancellationToken);
            string[] lines = await File.ReadAllLinesAsync(Path.Join(_directory, "env"), cancellationToken);
            _env = lines.Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    private async Task<string> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        using Process script = Process.Start(new ProcessStartInfo(_script, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = script.StandardOutput.ReadToEndAsync(cancellationToken);
        string messages = await script.StandardError.ReadToEndAsync(cancellationToken);
        await script.WaitForExitAsync(cancellationToken);
        if (script.ExitCode == NotInstalled && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
        {
            Skip.Test(messages.Trim());
        }

        return script.ExitCode == 0 ? await output : throw new InvalidOperationException(messages.Trim());
    }

    private void GiveToServers(string path)
    {
        uint user = uint.Parse(_env["SERVER_UID"], CultureInfo.InvariantCulture);
        uint group = uint.Parse(_env["SERVER_GID"], CultureInfo.InvariantCulture);
        if (Environment.IsPrivilegedProcess && ChangeOwner(path, user, group) != 0)
        {
            throw new IOException($"chown {path}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
