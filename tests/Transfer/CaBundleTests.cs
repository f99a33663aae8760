using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class CaBundleTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("pelican-ca-");

    public void Dispose() => _root.Delete(recursive: true);

    [Test]
    public async Task A_host_without_a_bundle_has_none()
    {
        await Assert.That(CaBundle.Find(_root.FullName)).IsNull();
    }

    [Test]
    [Arguments("/etc/ssl/certs/ca-certificates.crt")]
    [Arguments("/etc/pki/tls/certs/ca-bundle.crt")]
    [Arguments("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem")]
    [Arguments("/etc/ssl/ca-bundle.pem")]
    [Arguments("/etc/ssl/cert.pem")]
    public async Task The_bundle_of_each_family_of_hosts_is_found(string place)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.FullName + place)!);
        await File.WriteAllTextAsync(_root.FullName + place, "");

        await Assert.That(CaBundle.Find(_root.FullName)).IsEqualTo(_root.FullName + place);
    }
}
