using System.Globalization;
using Pelican.ClientApi;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>Options of requests: checked when they come, and turned into those of a transfer when it runs.</summary>
internal static class JobOptionsReader
{
    private const int LongestLabel = 255;

    private const UnixFileMode NewFile = (UnixFileMode)0b110_110_110;

    /// <summary>Refuses what cannot be honoured.</summary>
    /// <param name="options">Options of a request; null for none.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/> or <see cref="Errors.NotSupported"/>, naming the member.</exception>
    public static void Check(JobOptions? options)
    {
        if (options is null)
        {
            return;
        }

        if (options.Token is { } token)
        {
            CheckToken(token);
        }

        for (int i = 0; i < options.Caches?.Count; i++)
        {
            CheckCache(options.Caches[i], i, last: i == options.Caches.Count - 1);
        }

        if (options.Methods is { Count: > 0 } methods && !methods.Contains("http"))
        {
            throw new PelicanException(Errors.NotSupported, $"options.methods: none of {string.Join(", ", methods)} is there", "Leave it out, or write [\"http\"].");
        }

        if (!string.IsNullOrEmpty(options.PackOption))
        {
            throw new PelicanException(Errors.NotSupported, "options.pack_option: archives are not there yet", "Leave it out.");
        }

        if (options.ChecksumAlgorithm is { } name && Algorithm(name) is null)
        {
            throw new PelicanException(Errors.Parameter, $"options.checksum_algorithm: '{name}' is unknown",
                $"Write one of {string.Join(", ", Enum.GetValues<ChecksumAlgorithm>().Select(Checksum.WireName))}.");
        }

        if (options.Umask is { } umask && Mask(umask) is null)
        {
            throw new PelicanException(Errors.Parameter, $"options.umask: '{umask}' is not an octal number up to 777", "Write it as \"022\".");
        }

        if (options.Label is { Length: 0 or > LongestLabel })
        {
            throw new PelicanException(Errors.Parameter, FormattableString.Invariant($"options.label: it must have 1 to {LongestLabel} characters"));
        }

        if (options.Federation is { } federation && FederationHost(federation) is null)
        {
            throw new PelicanException(Errors.Parameter, $"options.federation: '{federation}' is not the URL of a federation",
                "Write https://<host>[:<port>], without a path.");
        }
    }

    /// <summary>Makes the options of a transfer.</summary>
    /// <param name="options">Options that <see cref="Check"/> let pass; null for none.</param>
    /// <param name="defaultMode">Mode of new files for who sends no umask.</param>
    public static TransferOptions Read(JobOptions? options, UnixFileMode defaultMode) => options is null
        ? new TransferOptions { FileMode = defaultMode, TokenIsRenewed = true }
        : new TransferOptions
        {
            TokenFile = options.Token,
            TokenIsRenewed = true,
            Caches = options.Caches,
            DirectRead = options.Direct,
            Overwrite = options.Overwrite,
            RequireChecksum = options.RequireChecksum,
            Algorithm = options.ChecksumAlgorithm is { } name ? Algorithm(name) : null,
            FileMode = options.Umask is { } umask ? NewFile & ~Mask(umask)!.Value : defaultMode,
        };

    /// <summary>An object's URL, in the federation that the options name where it names none itself.</summary>
    public static string UrlOf(string text, JobOptions? options) =>
        text.StartsWith('/') && options?.Federation is { } federation ? $"pelican://{FederationHost(federation)}{text}" : text;

    private static void CheckToken(string path)
    {
        // A NUL would end the name for the system, and another file be read.
        if (!path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new PelicanException(Errors.Parameter, "options.token: it is not an absolute path",
                "It is the name of a file with a token, as the server sees it, and not the token itself.");
        }

        if (!TokenFile.TryRead(path, owner: null, out _, out string found))
        {
            throw new PelicanException(Errors.Parameter, $"options.token: the file '{path}' holds no token: {found}", "Check the name and the permissions.");
        }
    }

    private static void CheckCache(string? cache, int index, bool last)
    {
        bool isServer = cache == "+" ? last
            : cache is not null && Uri.TryCreate(cache.Contains("://", StringComparison.Ordinal) ? cache : "https://" + cache, UriKind.Absolute, out Uri? uri)
                && uri is { Scheme: "https" or "http", Host.Length: > 0, UserInfo.Length: 0 };
        if (!isServer)
        {
            throw new PelicanException(Errors.Parameter,
                FormattableString.Invariant($"options.caches[{index}]: '{cache}' is not the host[:port] or URL of a server"),
                "A last item \"+\" adds the servers of the director.");
        }
    }

    private static ChecksumAlgorithm? Algorithm(string name)
    {
        foreach (ChecksumAlgorithm algorithm in Enum.GetValues<ChecksumAlgorithm>())
        {
            if (Checksum.WireName(algorithm) == (name == "sha1" ? "sha" : name))
            {
                return algorithm;
            }
        }

        return null;
    }

    private static UnixFileMode? Mask(string octal)
    {
        const int digits = 4;
        if (octal.Length is 0 or > digits || octal.AsSpan().ContainsAnyExceptInRange('0', '7'))
        {
            return null;
        }

        int mask = octal.Aggregate(0, (value, digit) => (value * 8) + CharUnicodeInfo.GetDecimalDigitValue(digit));
        return mask <= 0b111_111_111 ? (UnixFileMode)mask : null;
    }

    private static string? FederationHost(string federation)
    {
        string text = federation.Contains("://", StringComparison.Ordinal) ? federation : "https://" + federation;
        return Uri.TryCreate(text, UriKind.Absolute, out Uri? uri)
            && uri is { Scheme: "https", AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "", Host.Length: > 0 }
            ? uri.Authority
            : null;
    }
}
