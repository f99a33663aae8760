using System.Runtime.InteropServices;

namespace Pelican.Transfer;

/// <summary>
/// The certificate authorities of the host. The OpenSSL linked into the executable is Debian's and looks in Debian's
/// places only; elsewhere every server would be untrusted.
/// </summary>
internal static partial class CaBundle
{
    /// <summary>Variable that names a file of authorities (PEM); OpenSSL's own, and it wins over everything found here.</summary>
    public const string FileVariable = "SSL_CERT_FILE";

    /// <summary>Variable that names a directory of authorities by hash; OpenSSL's own.</summary>
    public const string DirectoryVariable = "SSL_CERT_DIR";

    // A full directory beside the bundle holds the same authorities again: reading them cost 310 ms.
    private const string NoDirectory = "/nonexistent";

    private static readonly string[] Places =
    [
        "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Gentoo
        "/etc/pki/tls/certs/ca-bundle.crt", // Red Hat and its kin up to 9
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Red Hat and its kin, CentOS 7 included
        "/etc/ssl/ca-bundle.pem", // SUSE
        "/etc/ssl/cert.pem", // Alpine
    ];

    /// <summary>Finds the host's bundle.</summary>
    /// <param name="root">Directory taken for <c>/</c>.</param>
    /// <returns>Its path; null when the host has none where we look.</returns>
    public static string? Find(string root = "") => Places.Select(place => root + place).FirstOrDefault(File.Exists);

    /// <summary>
    /// Makes OpenSSL trust the authorities of one file; without effect once TLS has been used. Where the environment
    /// names a file or a directory already and <paramref name="path"/> is null, that stays.
    /// </summary>
    /// <param name="path">PEM file of a setting of ours; null for the host's bundle.</param>
    public static void Use(string? path)
    {
        if (path is null && (IsSet(FileVariable) || IsSet(DirectoryVariable)))
        {
            return;
        }

        if ((path ?? Find()) is { } bundle)
        {
            // Not Environment.SetEnvironmentVariable: that changes .NET's copy, and OpenSSL reads the C library's.
            _ = SetEnvironment(FileVariable, bundle, 1);
            _ = SetEnvironment(DirectoryVariable, NoDirectory, 1);
        }
    }

    private static bool IsSet(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 };

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
