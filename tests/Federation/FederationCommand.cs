using System.Runtime.InteropServices;
using System.Text.Json;

namespace Pelican.Federation;

/// <summary>The federation as a program: starts, says where everything is, and runs until it is told to stop.</summary>
internal static class FederationCommand
{
    private const string Usage = """
        usage: federation --root DIR [options]
          --state FILE             write KEY=VALUE lines there once everything answers (default: standard output)
          --namespace SPEC         PREFIX[:private][:writable]; repeatable (default: /public, /demo:writable, /protected:private)
          --origins NAMES          dialects, separated by commas: pelican, xrootd55, xrootd58, xrootd62; "" for none
          --caches NAMES           the same
          --one-process            Pelican's own first origin and cache in one process with the director
          --plain                  origins and caches without TLS
          --director-config FILE   JSON: be a director in front of other servers (then no origins and caches by default)
          --other-ca FILE          PEM file to add to CA_FILE; repeatable
          --until-stdin-closes     stop also when standard input ends
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        if (Parse(args) is not { } command)
        {
            await Console.Error.WriteLineAsync(Usage);
            return 2;
        }

        using SemaphoreSlim stop = new(0);
        using PosixSignalRegistration terminate = OnSignal(PosixSignal.SIGTERM, stop);
        using PosixSignalRegistration interrupt = OnSignal(PosixSignal.SIGINT, stop);
        await using TestFederation federation = await TestFederation.StartAsync(command.Options);
        await WriteStateAsync(federation, command.StateFile);
        Task end = stop.WaitAsync();
        await (command.UntilStdinCloses ? Task.WhenAny(end, Console.In.ReadToEndAsync()) : end);
        return 0;
    }

    /// <summary>Reads the arguments; null when they make no sense.</summary>
    internal static (FederationOptions Options, string? StateFile, bool UntilStdinCloses)? Parse(string[] args)
    {
        FederationOptions options = new();
        List<FederationNamespace> namespaces = [];
        string? state = null;
        bool untilStdinCloses = false;
        for (int i = 0; i < args.Length; i++)
        {
            string option = args[i];
            if (option is "--plain" or "--one-process" or "--until-stdin-closes")
            {
                options = options with { Tls = options.Tls && option != "--plain", OneProcess = options.OneProcess || option == "--one-process" };
                untilStdinCloses |= option == "--until-stdin-closes";
                continue;
            }

            if (++i == args.Length)
            {
                return null;
            }

            switch (option)
            {
                case "--root": options = options with { Root = Path.GetFullPath(args[i]) }; break;
                case "--state": state = args[i]; break;
                case "--namespace": namespaces.Add(NamespaceOf(args[i])); break;
                case "--origins": options = options with { Origins = DialectsOf(args[i]) }; break;
                case "--caches": options = options with { Caches = DialectsOf(args[i]) }; break;
                case "--other-ca": options = options with { OtherCaFiles = [.. options.OtherCaFiles, args[i]] }; break;
                case "--director-config":
                    namespaces.AddRange(NamespacesIn(File.ReadAllText(args[i])));
                    options = options with { Origins = [], Caches = [] };
                    break;
                default: return null;
            }
        }

        options = namespaces.Count == 0 ? options : options with { Namespaces = namespaces };
        return options.Root is null ? null : (options, state, untilStdinCloses);
    }

    private static FederationNamespace NamespaceOf(string specification)
    {
        string[] parts = specification.Split(':');
        return new(parts[0]) { PublicReads = !parts.Contains("private"), PublicWrites = parts.Contains("writable") };
    }

    private static Dialect[] DialectsOf(string names) =>
        [.. names.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(name => Dialect.All.Single(dialect => dialect.Name == name))];

    /// <summary>
    /// <c>{"namespaces":[{"prefix":"/p","requireToken":true,"servers":[…],"writers":[…],"collections":"…",
    /// "issuers":[…],"basePath":"…"}]}</c>; all but the prefix and the servers may be absent.
    /// </summary>
    private static IEnumerable<FederationNamespace> NamespacesIn(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.GetProperty("namespaces").EnumerateArray().Select(ns =>
            new FederationNamespace(ns.GetProperty("prefix").GetString()!)
            {
                PublicReads = !(ns.TryGetProperty("requireToken", out JsonElement required) && required.GetBoolean()),
                Servers = Strings(ns, "servers")?.Select(url => new Uri(url)).ToList(),
                Writers = Strings(ns, "writers")?.Select(url => new Uri(url)).ToList(),
                Collections = Strings(ns, "collections") is [string url] ? new Uri(url) : null,
                Issuers = Strings(ns, "issuers"),
                BasePath = Strings(ns, "basePath")?.Single(),
                Listings = ns.TryGetProperty("collections", out _),
                Writes = ns.TryGetProperty("writers", out _),
            })];
    }

    /// <summary>The strings of an array, or one string alone; null when absent.</summary>
    private static List<string>? Strings(JsonElement parent, string name) =>
        !parent.TryGetProperty(name, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(item => item.GetString()!)]
        : [value.GetString()!];

    private static PosixSignalRegistration OnSignal(PosixSignal signal, SemaphoreSlim stop) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            stop.Release();
        });

    private static async Task WriteStateAsync(TestFederation federation, string? stateFile)
    {
        var lifetime = TimeSpan.FromDays(1);
        List<string> lines =
        [
            "DISCOVERY_URL=" + federation.DiscoveryUrl,
            "DISCOVERY_HOST=" + federation.DiscoveryHost,
            "CA_FILE=" + federation.CaFile,
            "ISSUER_URL=" + federation.Issuer.Url,
            "TOKEN_FILE_READ=" + TokenFile(federation, "token-read", federation.Issuer.CreateToken("storage.read:/", lifetime)),
            "TOKEN_FILE_WRITE=" + TokenFile(
                federation, "token-write", federation.Issuer.CreateToken("storage.read:/ storage.create:/ storage.modify:/", lifetime)),
            .. federation.Origins.SelectMany((origin, i) => new[] { $"ORIGIN{i}_URL={origin.DataUrl}", $"ORIGIN{i}_DATA={origin.Folder}" }),
            .. federation.Caches.SelectMany((cache, i) => new[] { $"CACHE{i}_URL={cache.DataUrl}", $"CACHE{i}_DATA={cache.Folder}" }),
            $"PID={Environment.ProcessId}",
        ];
        string text = string.Join('\n', lines) + "\n";
        if (stateFile is null)
        {
            await Console.Out.WriteAsync(text);
            return;
        }

        // Who waits for the file must never read half of it.
        await File.WriteAllTextAsync(stateFile + ".new", text);
        File.Move(stateFile + ".new", stateFile, true);
    }

    private static string TokenFile(TestFederation federation, string name, string token)
    {
        string path = Path.Combine(federation.Root, name);
        File.WriteAllText(path, token + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return path;
    }
}
