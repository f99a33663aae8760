using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Verdicts on the bytes <c>123456789</c>, with what real servers say of them (xrootd.md 5, 12.2).</summary>
public sealed class DigestJudgeTests
{
    [Test]
    [Arguments("crc32c=e3069283", "Crc32c")]
    [Arguments("crc32c=4waSgw==", "Crc32c")]
    [Arguments("adler32=91e01de", "Adler32")]
    [Arguments("md5=JfnnlDI7RTiF9RgfG2JNCw==", "Md5")]
    [Arguments("crc32=cbf43926", "Crc32")]
    [Arguments("sha=98O8HYCOBHMq32eZZczDTKeuNEE=", "Sha1")]
    [Arguments("md5=4waSgw==", "Crc32c")]
    [Arguments("adler32=e3069283", "Crc32c")]
    [Arguments("crc32=e3069283", "Crc32c")]
    [Arguments("crc32=377a6011, adler32=091e01de", "Adler32")]
    [Arguments("crc32c=00000000, md5=JfnnlDI7RTiF9RgfG2JNCw==", "Md5")]
    public async Task A_value_that_agrees_verifies_under_whatever_name(string header, string by)
    {
        DigestVerdict verdict = Judge(header);

        await Assert.That(verdict.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(verdict.Algorithm.ToString()).IsEqualTo(by);
        await Assert.That(verdict.Checksum).IsEqualTo(Convert.ToHexStringLower(Ours(verdict.Algorithm!.Value)));
        await Assert.That(verdict.Why).IsNull();
    }

    [Test]
    [Arguments("crc32c=00000000", "Crc32c")]
    [Arguments("adler32=00000000", "Adler32")]
    [Arguments("md5=1B2M2Y8AsgTpgAmY7PhCfg==", "Md5")]
    [Arguments("sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "Sha1")]
    [Arguments("md5=1B2M2Y8AsgTpgAmY7PhCfg==, crc32c=00000000", "Crc32c")]
    [Arguments("crc32=377a6011, crc32c=00000000", "Crc32c")]
    public async Task A_value_of_its_own_length_that_differs_condemns(string header, string by)
    {
        DigestVerdict verdict = Judge(header);

        await Assert.That(verdict.Verification).IsNull();
        await Assert.That(verdict.Algorithm.ToString()).IsEqualTo(by);
        await Assert.That(verdict.Why!).Contains(Convert.ToHexStringLower(Ours(verdict.Algorithm!.Value)));
    }

    [Test]
    [Arguments("")]
    [Arguments("unixcksum=930766865")]
    [Arguments("crc32=377a6011")]
    [Arguments("md5=AAAAAA==")]
    [Arguments("sha=AAAAAA==")]
    [Arguments("crc32c=1B2M2Y8AsgTpgAmY7PhCfg==")]
    [Arguments("adler32=1B2M2Y8AsgTpgAmY7PhCfg==")]
    public async Task What_is_not_what_its_name_says_proves_nothing(string header)
    {
        DigestVerdict verdict = Judge(header);

        await Assert.That(verdict.Verification).IsEqualTo(Verification.Unverified);
        await Assert.That(verdict.Checksum).IsNull();
        await Assert.That(verdict.Why).IsNotNull();
    }

    [Test]
    [Arguments("md5=JfnnlDI7RTiF9RgfG2JNCw==", "md5", "Verified")]
    [Arguments("crc32c=00000000, md5=JfnnlDI7RTiF9RgfG2JNCw==", "md5", "Verified")]
    [Arguments("md5=4waSgw==", "crc32c", "Verified")]
    [Arguments("md5=1B2M2Y8AsgTpgAmY7PhCfg==, crc32c=e3069283", "md5", "")]
    [Arguments("crc32c=e3069283", "md5", "Unverified")]
    [Arguments("crc32c=00000000", "md5", "Unverified")]
    [Arguments("md5=4waSgw==", "md5", "Unverified")]
    [Arguments("adler32=e3069283", "adler32", "Unverified")]
    [Arguments("crc32=377a6011", "crc32", "Unverified")]
    public async Task Only_the_algorithm_insisted_on_decides(string header, string only, string expected)
    {
        await Assert.That(Judge(header, DigestHeader.Algorithm(only)).Verification.ToString()).IsEqualTo(expected);
    }

    [Test]
    [Arguments("crc32c=e3069283", "Verified")]
    [Arguments("adler32=e3069283", "Verified")]
    [Arguments("md5=1B2M2Y8AsgTpgAmY7PhCfg==", "Unverified")]
    [Arguments("adler32=00000000", "Unverified")]
    public async Task What_can_no_longer_be_computed_is_not_held_against_the_server(string header, string expected)
    {
        DigestVerdict verdict = DigestJudge.Judge(Answer(header), a => a == ChecksumAlgorithm.Crc32c ? Ours(a) : null, only: null);

        await Assert.That(verdict.Verification.ToString()).IsEqualTo(expected);
    }

    [Test]
    public async Task Each_digest_is_computed_once()
    {
        List<ChecksumAlgorithm> computed = [];

        DigestJudge.Judge(Answer("md5=1B2M2Y8AsgTpgAmY7PhCfg=="), algorithm =>
        {
            computed.Add(algorithm);
            return Ours(algorithm);
        }, only: null);

        await Assert.That(computed).IsEquivalentTo([ChecksumAlgorithm.Md5]);
    }

    private static DigestVerdict Judge(string header, ChecksumAlgorithm? only = null) => DigestJudge.Judge(Answer(header), Ours, only);

    private static DigestAnswer Answer(string header)
    {
        using HttpResponseMessage response = new();
        response.Headers.TryAddWithoutValidation("Digest", header);
        return new DigestAnswer(9, DigestHeader.Read(response), null);
    }

    private static byte[] Ours(ChecksumAlgorithm algorithm)
    {
        using Checksum checksum = Checksum.Create(algorithm);
        checksum.Append("123456789"u8);
        return checksum.Value();
    }
}
