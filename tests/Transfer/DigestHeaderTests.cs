using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class DigestHeaderTests
{
    [Test]
    [Arguments("crc32c=e3069283", "Crc32c:e3069283")]
    [Arguments("crc32c=E3069283", "Crc32c:e3069283")]
    [Arguments("crc32c=4waSgw==", "Crc32c:e3069283")]
    [Arguments("crc32c=1a2b3c", "Crc32c:001a2b3c")]
    [Arguments("crc32c=1a2b", "Crc32c:00001a2b")]
    [Arguments("crc32c=0", "Crc32c:00000000")]
    [Arguments("adler32=91e01de", "Adler32:091e01de")]
    [Arguments("crc32=cbf43926", "Crc32:cbf43926")]
    [Arguments("md5=JfnnlDI7RTiF9RgfG2JNCw==", "Md5:25f9e794323b453885f5181f1b624d0b")]
    [Arguments("md5=25f9e794323b453885f5181f1b624d0b", "Md5:25f9e794323b453885f5181f1b624d0b")]
    [Arguments("md5=4waSgw==", "Md5:e3069283")]
    [Arguments("sha=98O8HYCOBHMq32eZZczDTKeuNEE=", "Sha1:f7c3bc1d808e04732adf679965ccc34ca7ae3441")]
    [Arguments("SHA-1=98O8HYCOBHMq32eZZczDTKeuNEE=", "Sha1:f7c3bc1d808e04732adf679965ccc34ca7ae3441")]
    [Arguments("crc32c=JfnnlDI7RTiF9RgfG2JNCw==", "Crc32c:25f9e794323b453885f5181f1b624d0b")]
    [Arguments(" CRC32C = \"e3069283\" , md5 = 4waSgw== ", "Crc32c:e3069283 Md5:e3069283")]
    [Arguments("unixcksum=1, sha-256=47DEQpj8HBSa+/TImW+5JK==, crc32c=e3069283", "Crc32c:e3069283")]
    [Arguments("crc32c=25f9e794323b453885f5181f1b624d0b", "")]
    [Arguments("md5=e3069283", "")]
    [Arguments("crc32c=, md5, =x, crc32c=nonsense!, crc32c=4waS gw", "")]
    [Arguments("", "")]
    public async Task Values_are_read_in_the_forms_that_servers_write(string header, string expected)
    {
        await Assert.That(Read(header)).IsEqualTo(expected);
    }

    [Test]
    public async Task Several_lines_are_one_list()
    {
        await Assert.That(Read("crc32c=e3069283", "adler32=091e01de")).IsEqualTo("Crc32c:e3069283 Adler32:091e01de");
    }

    [Test]
    public async Task No_header_is_no_digest()
    {
        await Assert.That(Read()).IsEqualTo("");
    }

    private static string Read(params string[] lines)
    {
        using HttpResponseMessage response = new();
        foreach (string line in lines)
        {
            response.Headers.TryAddWithoutValidation("Digest", line);
        }

        return string.Join(' ', DigestHeader.Read(response).Select(d => $"{d.Algorithm}:{Convert.ToHexStringLower(d.Value)}"));
    }
}
