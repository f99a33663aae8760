using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class ServerTrustTests
{
    [Test]
    public async Task A_damaged_certificate_takes_none_of_the_others_along(CancellationToken cancellationToken)
    {
        using TestCertificates authority = new();
        string file = Path.GetTempFileName();
        string damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        await File.WriteAllTextAsync(file, damaged + authority.AuthorityPem + "\n" + damaged + authority.AuthorityPem, cancellationToken);

        await Assert.That(ServerTrust.Read(file).Count).IsEqualTo(2);
        File.Delete(file);
    }

    [Test]
    public async Task A_file_without_certificates_is_told_of(CancellationToken cancellationToken)
    {
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "nothing here", cancellationToken);

        PelicanException empty = Assert.Throws<PelicanException>(() => ServerTrust.Validation(new ClientSettings { CaCertificateFile = file }, TimeProvider.System));
        PelicanException folder = Assert.Throws<PelicanException>(() => ServerTrust.Validation(new ClientSettings { CaCertificateFile = "/tmp" }, TimeProvider.System));

        await Assert.That((empty.Row, empty.Message)).IsEqualTo((Errors.Configuration, $"there is no certificate in '{file}'"));
        await Assert.That(folder.Message).Contains("directory");
        File.Delete(file);
    }

    [Test]
    public async Task A_certificate_of_an_unknown_authority_is_said_to_be_that(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestCertificates other = new();
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, other.AuthorityPem, cancellationToken);
        using TestClient client = new(file, $"pelican://{federation.DiscoveryHost}");

        PelicanException error = await Expect.FailureAsync(client.StatAsync("/public/a", cancellationToken));

        await Assert.That((error.Row, error.Retryable)).IsEqualTo((Errors.Certificate, false));
        await Assert.That(error.Message).Contains("an authority that is not trusted here");
        File.Delete(file);
    }
}
