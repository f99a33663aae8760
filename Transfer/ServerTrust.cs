using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Pelican.Transfer;

/// <summary>Why a server's certificate is not taken, in words, and what to do about it.</summary>
internal sealed class CertificateFault(string why, string nextStep) : AuthenticationException(why)
{
    /// <summary>A sentence.</summary>
    public string NextStep => nextStep;
}

/// <summary>Which certificates of servers are taken: those of the host's authorities, and of the file that the user names.</summary>
internal static class ServerTrust
{
    private const string PrivateAuthority = "If the server's certificate comes from a private authority, name its PEM file with SSL_CERT_FILE.";

    /// <summary>Makes the judge of certificates.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Configuration"/>: the file of authorities cannot be used.</exception>
    public static RemoteCertificateValidationCallback Validation(ClientSettings settings, TimeProvider clock)
    {
        if (settings.TlsSkipVerify)
        {
#pragma warning disable CA5359 // The user asked for it by name (TLSSkipVerify).
            return (_, _, _, _) => true;
#pragma warning restore CA5359
        }

        X509Certificate2Collection extra = settings.CaCertificateFile is { } file ? OfSetting(file) : [];
        return (sender, certificate, chain, errors) => errors == SslPolicyErrors.None
            || (extra.Count > 0 && VerifiesWith(extra, certificate, chain, errors))
            || (OfVariable() is { Count: > 0 } mended && VerifiesWith(mended, certificate, chain, errors))
                ? true
                : throw Fault((sender as SslStream)?.TargetHostName, certificate, chain, errors, clock.GetUtcNow());
    }

    /// <summary>The certificates of a PEM file; one that is damaged takes none of those after it along.</summary>
    internal static X509Certificate2Collection Read(string file)
    {
        X509Certificate2Collection found = [];
        ReadOnlySpan<char> text = File.ReadAllText(file);
        while (PemEncoding.TryFind(text, out PemFields fields))
        {
            if (text[fields.Label] is "CERTIFICATE" or "TRUSTED CERTIFICATE" or "X509 CERTIFICATE")
            {
                try
                {
                    found.Add(X509CertificateLoader.LoadCertificate(Convert.FromBase64String(text[fields.Base64Data].ToString())));
                }
                catch (CryptographicException)
                {
                    // The others count.
                }
            }

            text = text[fields.Location.End..];
        }

        return found;
    }

    private static X509Certificate2Collection OfSetting(string file)
    {
        try
        {
            return Read(file) is { Count: > 0 } found ? found
                : throw new PelicanException(Errors.Configuration, $"there is no certificate in '{file}'", "Server.TLSCACertificateFile must name a PEM file.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PelicanException(Errors.Configuration, $"cannot read the certificates in '{file}': {(Directory.Exists(file) ? "it is a directory" : e.Message)}",
                "Server.TLSCACertificateFile must name a PEM file.", e);
        }
    }

    // Only when a certificate was refused: the platform reads the file up to the first damaged one.
    private static X509Certificate2Collection? OfVariable()
    {
        try
        {
            return Environment.GetEnvironmentVariable(CaBundle.FileVariable) is { Length: > 0 } file ? Read(file) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool VerifiesWith(X509Certificate2Collection extra, X509Certificate? certificate, X509Chain? given, SslPolicyErrors errors)
    {
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return false;
        }

        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(extra);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1")); // serverAuth (RFC 5280, 4.2.1.12)
        if (given is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(given.ChainElements.Select(element => element.Certificate).ToArray());
        }

        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(leaf);
    }

    private static CertificateFault Fault(string? host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (certificate is null)
        {
            return new CertificateFault("it has sent no certificate", "Tell whoever runs the server.");
        }

        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
        {
            return new CertificateFault($"its certificate is for {Names(leaf)}, and not for {host}",
                "Check the host in the URL; if it is right, whoever runs the server must mend its certificate.");
        }

        foreach (X509Certificate2 one in chain?.ChainElements.Select(element => element.Certificate) ?? [leaf])
        {
            if (one.NotAfter < now.LocalDateTime || one.NotBefore > now.LocalDateTime)
            {
                string whose = one.Thumbprint == leaf.Thumbprint ? "its certificate" : $"the certificate of its authority '{one.Subject}'";
                string when = one.NotAfter < now.LocalDateTime ? $"expired at {TokenText.Time(one.NotAfter)}" : $"is not valid before {TokenText.Time(one.NotBefore)}";
                return new CertificateFault($"{whose} {when}", $"Tell whoever runs the server; or this machine's clock is wrong: it says {TokenText.Time(now)}.");
            }
        }

        X509ChainStatusFlags status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status) ?? X509ChainStatusFlags.NoError;
        return (status & ~(X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.RevocationStatusUnknown
            | X509ChainStatusFlags.OfflineRevocation)) == 0
            ? new CertificateFault($"its certificate was issued by '{leaf.Issuer}', an authority that is not trusted here", TrustStep())
            : new CertificateFault($"its certificate is not one for servers, or is not in order ({status})", "Tell whoever runs the server.");
    }

    private static string Names(X509Certificate2 leaf)
    {
        string[] names = [.. leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(names => names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => address.ToString()))).Take(5)];
        return names.Length > 0 ? string.Join(", ", names) : $"'{leaf.Subject}'";
    }

    private static string TrustStep()
    {
        if (Environment.GetEnvironmentVariable(CaBundle.FileVariable) is not { Length: > 0 } file)
        {
            return PrivateAuthority;
        }

        return Directory.Exists(file) ? $"SSL_CERT_FILE names '{file}', which is a directory: SSL_CERT_DIR is for these."
            : !File.Exists(file) ? $"SSL_CERT_FILE names '{file}', and there is no such file."
            : OfVariable() is { Count: 0 } ? $"SSL_CERT_FILE names '{file}', and there is no certificate in it."
            : $"SSL_CERT_FILE names '{file}': the authority is not in it.";
    }
}
