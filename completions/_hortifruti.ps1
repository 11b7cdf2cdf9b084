
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'hortifruti' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'hortifruti'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'hortifruti' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Mostra a versão')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Mostra a versão')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Guarda o estoque e atende clientes: navegadores, texto e gRPC')
            [CompletionResult]::new('shell', 'shell', [CompletionResultType]::ParameterValue, 'Abre um terminal interativo')
            [CompletionResult]::new('query', 'query', [CompletionResultType]::ParameterValue, 'Consulta um produto, os produtos até um preço, ou todos')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Muda o estoque de um produto')
            [CompletionResult]::new('sell', 'sell', [CompletionResultType]::ParameterValue, 'Vende: um produto, ou vários num só documento')
            [CompletionResult]::new('buy', 'buy', [CompletionResultType]::ParameterValue, 'Compra: entra no estoque, com o que custou')
            [CompletionResult]::new('waste', 'waste', [CompletionResultType]::ParameterValue, 'Registra uma perda, com a causa')
            [CompletionResult]::new('count', 'count', [CompletionResultType]::ParameterValue, 'Ajusta o estoque à contagem, de um produto ou de uma lista')
            [CompletionResult]::new('undo', 'undo', [CompletionResultType]::ParameterValue, 'Desfaz um movimento, com o documento inteiro dele, ou uma importação')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Mostra os movimentos do estoque, do último para trás')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Mostra cada movimento assim que é gravado')
            [CompletionResult]::new('product', 'product', [CompletionResultType]::ParameterValue, 'Cadastra e muda produtos: nome, preço, códigos, categoria, mínimo')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Mostra um relatório de um período: fechamento, vendas, perdas, compras, margens e mais')
            [CompletionResult]::new('label', 'label', [CompletionResultType]::ParameterValue, 'Etiquetas de prateleira e de balança')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Cria produtos e muda preços a partir de uma lista: planilha, CSV ou carga de balança')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Exporta o catálogo: CSV, planilha ou carga de balança')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copia o banco de dados, também enquanto um servidor o usa')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Restaura uma cópia do banco de dados, e guarda o anterior')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Confere um banco de dados ou uma cópia')
            [CompletionResult]::new('move', 'move', [CompletionResultType]::ParameterValue, 'Leva a loja de um banco de dados para outro, como de um arquivo para o PostgreSQL')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Mostra como está o servidor: banco de dados, conexões, fila, gravações')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Para o servidor desta pasta, como Ctrl-C: responde ao que recebeu e termina')
            [CompletionResult]::new('service', 'service', [CompletionResultType]::ParameterValue, 'O servidor como serviço do Windows: começa com a máquina')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Cria, mostra e revoga tokens, que identificam os clientes de um servidor')
            [CompletionResult]::new('tls', 'tls', [CompletionResultType]::ParameterValue, 'Cria certificados de TLS: uma autoridade da loja, e os do servidor e de clientes')
            [CompletionResult]::new('bench', 'bench', [CompletionResultType]::ParameterValue, 'Mede e compara o protocolo de texto e o gRPC')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Escreve o script de autocompletar de um shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Escreve as páginas de manual, uma para cada comando')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Mostra a ajuda de um comando')
            break
        }
        'hortifruti;serve' {
            [CompletionResult]::new('--public-name', '--public-name', [CompletionResultType]::ParameterName, 'Nome pelo qual navegadores acham este servidor, além dos da máquina; pode repetir')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Porta; 0 escolhe uma livre. O padrão é 8082, ou uma livre com --grpc sozinho')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Endereço em que escuta. O padrão é 127.0.0.1')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado do servidor, em PEM; com ele, atende só por TLS. Relido com SIGHUP')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado, em PEM e sem senha')
            [CompletionResult]::new('--tls-client-ca', '--tls-client-ca', [CompletionResultType]::ParameterName, 'Só atende clientes com um certificado desta autoridade')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Só atende clientes com um token deste arquivo (veja `hortifruti token`). Relido com SIGHUP')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Banco de dados; `:memory:` não guarda nada. O padrão é hortifruti.db')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Lê etiquetas de balança por esta máscara, como 2CCCCCCPPPPPD (C código, P gramas, T centavos, D verificador); várias, se os dígitos fixos as distinguem')
            [CompletionResult]::new('--scale-dir', '--scale-dir', [CompletionResultType]::ParameterName, 'Mantém nesta pasta o arquivo das balanças: refeito até um segundo depois que um preço muda')
            [CompletionResult]::new('--scale-format', '--scale-format', [CompletionResultType]::ParameterName, 'Formato desse arquivo: itensmgv (o padrão), itensmgv4, txitens, filizola ou urano')
            [CompletionResult]::new('--scale-department', '--scale-department', [CompletionResultType]::ParameterName, 'Departamento desse arquivo, de 1 a 99. O padrão é 1')
            [CompletionResult]::new('--scale-encoding', '--scale-encoding', [CompletionResultType]::ParameterName, 'Letras desse arquivo: ascii (o padrão), sem acentos, ou windows-1252, com eles')
            [CompletionResult]::new('--cnpj', '--cnpj', [CompletionResultType]::ParameterName, 'CNPJ da loja: o painel recusa a nota de outra')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--workers', '--workers', [CompletionResultType]::ParameterName, 'Threads que atendem as conexões. O padrão é um por núcleo do processador, menos um')
            [CompletionResult]::new('--exit-after', '--exit-after', [CompletionResultType]::ParameterName, 'Para depois de N conexões')
            [CompletionResult]::new('--drain-seconds', '--drain-seconds', [CompletionResultType]::ParameterName, 'Ao parar, espera no máximo estes segundos pelos clientes. O padrão é 10')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'Máximo de conexões ao mesmo tempo. O padrão é 16384')
            [CompletionResult]::new('--max-connections-per-address', '--max-connections-per-address', [CompletionResultType]::ParameterName, 'Máximo de conexões de um só endereço. O padrão é 1024; desta máquina, sem limite')
            [CompletionResult]::new('--idle-seconds', '--idle-seconds', [CompletionResultType]::ParameterName, 'Encerra uma conexão parada há estes segundos; 0, nunca. O padrão é 43200 (12 horas)')
            [CompletionResult]::new('--service', '--service', [CompletionResultType]::ParameterName, 'Para o gerenciador de serviços do Windows; `service install` põe esta opção')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Atende o protocolo de texto. O padrão é atender os três')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Atende gRPC. O padrão é atender os três')
            [CompletionResult]::new('--http', '--http', [CompletionResultType]::ParameterName, 'Atende HTTP: o painel no navegador e programas. O padrão é atender os três')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Aceita um endereço aberto à rede sem TLS ou sem tokens')
            [CompletionResult]::new('--empty', '--empty', [CompletionResultType]::ParameterName, 'Começa um banco de dados novo sem os quatro produtos de exemplo')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Não mostra conexões e comandos')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Não mostra conexões e comandos')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;shell' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;query' {
            [CompletionResult]::new('--max-price', '--max-price', [CompletionResultType]::ParameterName, 'Só os produtos até este preço, como 8 ou 3,50')
            [CompletionResult]::new('--search', '--search', [CompletionResultType]::ParameterName, 'Só os que têm estas palavras no nome, em qualquer ordem')
            [CompletionResult]::new('--category', '--category', [CompletionResultType]::ParameterName, 'Só os desta categoria')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--low', '--low', [CompletionResultType]::ParameterName, 'Só os que estão abaixo do seu estoque mínimo; com --format table, também o que comprar')
            [CompletionResult]::new('--retired', '--retired', [CompletionResultType]::ParameterName, 'Também os aposentados')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;update' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Motivo: ajuste (o padrão), compra, venda, perda ou contagem')
            [CompletionResult]::new('--total', '--total', [CompletionResultType]::ParameterName, 'Quanto se pagou ou recebeu ao todo, em reais, numa compra ou venda; sem isto, preço × quantidade')
            [CompletionResult]::new('--cause', '--cause', [CompletionResultType]::ParameterName, 'Causa de uma perda: vencido, maduro, avaria, peso, furto, consumo, doacao, degustacao ou devolucao')
            [CompletionResult]::new('--note', '--note', [CompletionResultType]::ParameterName, 'Observação, de até 200 caracteres')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;sell' {
            [CompletionResult]::new('--note', '--note', [CompletionResultType]::ParameterName, 'Observação')
            [CompletionResult]::new('--outbox', '--outbox', [CompletionResultType]::ParameterName, 'Arquivo que guarda a venda se nenhum servidor responde, e a envia depois; sozinho, só envia')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Faz a mudança sem perguntar, ainda que pareça engano')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;buy' {
            [CompletionResult]::new('--total', '--total', [CompletionResultType]::ParameterName, 'Total pago, como 2800,00')
            [CompletionResult]::new('--supplier', '--supplier', [CompletionResultType]::ParameterName, 'Fornecedor')
            [CompletionResult]::new('--lot', '--lot', [CompletionResultType]::ParameterName, 'Lote do fornecedor')
            [CompletionResult]::new('--expires', '--expires', [CompletionResultType]::ParameterName, 'Último dia de venda, como 5/12, 05/12/2026, 2026-12-05 ou amanhã')
            [CompletionResult]::new('--note', '--note', [CompletionResultType]::ParameterName, 'Observação')
            [CompletionResult]::new('--nfe', '--nfe', [CompletionResultType]::ParameterName, 'Nota do fornecedor (NF-e), em XML, no lugar da quantidade e do nome')
            [CompletionResult]::new('--map', '--map', [CompletionResultType]::ParameterName, 'CSV que diz de que produto é cada item da nota')
            [CompletionResult]::new('--cnpj', '--cnpj', [CompletionResultType]::ParameterName, 'CNPJ da loja: recusa a nota de outra')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Mostra o que a nota lançaria, sem lançar')
            [CompletionResult]::new('--again', '--again', [CompletionResultType]::ParameterName, 'Lança de novo uma nota que foi lançada e desfeita')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Faz a mudança sem perguntar, ainda que pareça engano')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;waste' {
            [CompletionResult]::new('--cause', '--cause', [CompletionResultType]::ParameterName, 'Causa: vencido, maduro, avaria, peso, furto, consumo, doacao, degustacao ou devolucao')
            [CompletionResult]::new('--note', '--note', [CompletionResultType]::ParameterName, 'Observação')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Faz a mudança sem perguntar, ainda que pareça engano')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;count' {
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--blind', '--blind', [CompletionResultType]::ParameterName, 'Não mostra o estoque de antes nem a diferença')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;undo' {
            [CompletionResult]::new('--import', '--import', [CompletionResultType]::ParameterName, 'Desfaz a última importação, ou a deste momento, como `history --changes` o mostra: os preços e o cadastro voltam ao que eram, e os produtos que ela criou são aposentados')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--single', '--single', [CompletionResultType]::ParameterName, 'Desfaz só este movimento, e não os outros do mesmo documento')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;history' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Só deste motivo: ajuste, abertura, compra, venda, perda ou contagem')
            [CompletionResult]::new('--author', '--author', [CompletionResultType]::ParameterName, 'Só os movimentos que este token pediu')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Desde este dia ou momento: hoje, ontem, 2026-11-29, 29/11/2026 ou 2026-11-29T14:30')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Até este dia, inclusive, ou antes deste momento')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Quantos movimentos, no máximo. O padrão é 20, e todos os de um período')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson, csv ou xlsx (com `> ARQUIVO`)')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--changes', '--changes', [CompletionResultType]::ParameterName, 'Mostra as mudanças do cadastro (nome, preço, código, …) em vez dos movimentos')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;watch' {
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Começa depois do movimento deste número; 0, do primeiro. O padrão é o último')
            [CompletionResult]::new('--product', '--product', [CompletionResultType]::ParameterName, 'Só os movimentos deste produto')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;product' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Cadastra um produto, sem estoque')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Muda o preço, a unidade, os códigos e o mais de um produto')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Dá outro nome a um produto')
            [CompletionResult]::new('retire', 'retire', [CompletionResultType]::ParameterValue, 'Aposenta um produto: sai das listas, e não se vende nem se compra')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Devolve à venda um produto aposentado')
            [CompletionResult]::new('merge', 'merge', [CompletionResultType]::ParameterValue, 'Une um produto com outro: o estoque e os códigos passam, e o primeiro se aposenta')
            [CompletionResult]::new('clear-examples', 'clear-examples', [CompletionResultType]::ParameterValue, 'Retira os produtos de exemplo que nunca se moveram')
            break
        }
        'hortifruti;product;new' {
            [CompletionResult]::new('--unit', '--unit', [CompletionResultType]::ParameterName, 'Unidade, como kg, un, maço ou cx')
            [CompletionResult]::new('--code', '--code', [CompletionResultType]::ParameterName, 'Código da loja, de 1 a 6 dígitos, como está na balança; 0 tira o código')
            [CompletionResult]::new('--barcode', '--barcode', [CompletionResultType]::ParameterName, 'Código de barras ou PLU; pode repetir. Os de antes saem; '''' tira todos')
            [CompletionResult]::new('--category', '--category', [CompletionResultType]::ParameterName, 'Categoria, como frutas, legumes ou verduras; '''' tira a categoria')
            [CompletionResult]::new('--minimum', '--minimum', [CompletionResultType]::ParameterName, 'Estoque mínimo: abaixo dele, o produto está acabando; 0 para nenhum')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'Estoque que uma compra deve alcançar; 0 para nenhum')
            [CompletionResult]::new('--shelf-life', '--shelf-life', [CompletionResultType]::ParameterName, 'Dias que uma compra dura; 0 se não se sabe')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;product;set' {
            [CompletionResult]::new('--price', '--price', [CompletionResultType]::ParameterName, 'Preço de uma unidade, como 8 ou 3,50')
            [CompletionResult]::new('--margin', '--margin', [CompletionResultType]::ParameterName, 'Margem sobre o preço, em %: com 40, o custo é 60% do preço')
            [CompletionResult]::new('--markup', '--markup', [CompletionResultType]::ParameterName, 'Acréscimo sobre o custo, em %: com 40, o preço é 140% do custo')
            [CompletionResult]::new('--unit', '--unit', [CompletionResultType]::ParameterName, 'Unidade, como kg, un, maço ou cx')
            [CompletionResult]::new('--code', '--code', [CompletionResultType]::ParameterName, 'Código da loja, de 1 a 6 dígitos, como está na balança; 0 tira o código')
            [CompletionResult]::new('--barcode', '--barcode', [CompletionResultType]::ParameterName, 'Código de barras ou PLU; pode repetir. Os de antes saem; '''' tira todos')
            [CompletionResult]::new('--category', '--category', [CompletionResultType]::ParameterName, 'Categoria, como frutas, legumes ou verduras; '''' tira a categoria')
            [CompletionResult]::new('--minimum', '--minimum', [CompletionResultType]::ParameterName, 'Estoque mínimo: abaixo dele, o produto está acabando; 0 para nenhum')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'Estoque que uma compra deve alcançar; 0 para nenhum')
            [CompletionResult]::new('--shelf-life', '--shelf-life', [CompletionResultType]::ParameterName, 'Dias que uma compra dura; 0 se não se sabe')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Muda o preço sem perguntar, ainda que pareça engano')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;product;rename' {
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;product;retire' {
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;product;restore' {
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;product;merge' {
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;product;clear-examples' {
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, dá a mesma resposta')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson ou csv')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;report' {
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Desde este dia ou momento: hoje, ontem, 2026-11-29, 29/11/2026 ou 2026-11-29T14:30')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Até este dia, inclusive, ou antes deste momento')
            [CompletionResult]::new('--days', '--days', [CompletionResultType]::ParameterName, 'Em expiring: o que vence em até tantos dias (o padrão é 1); em low: comprar para tantos dias de venda')
            [CompletionResult]::new('--by', '--by', [CompletionResultType]::ParameterName, 'Soma por product, category, day, reason, supplier, author ou kind')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Só deste motivo, em day e products: ajuste, abertura, compra, venda, perda ou contagem')
            [CompletionResult]::new('--time-zone', '--time-zone', [CompletionResultType]::ParameterName, 'Fuso horário dos dias, como America/Sao_Paulo. O padrão é o deste computador')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão), table, json, ndjson, csv ou xlsx (com `> ARQUIVO`)')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;label' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('print', 'print', [CompletionResultType]::ParameterValue, 'Faz um PDF com nome, preço e código de barras de produtos')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Mostra o que uma etiqueta de balança diz: máscara, código, produto, peso e valor')
            break
        }
        'hortifruti;label;print' {
            [CompletionResult]::new('--category', '--category', [CompletionResultType]::ParameterName, 'Todos os produtos à venda desta categoria')
            [CompletionResult]::new('--pdf', '--pdf', [CompletionResultType]::ParameterName, 'Arquivo do PDF')
            [CompletionResult]::new('--paper', '--paper', [CompletionResultType]::ParameterName, 'Papel: a4 (folhas de 21 etiquetas de 63,5 × 38,1 mm; o padrão) ou 50x30 (rolo)')
            [CompletionResult]::new('--copies', '--copies', [CompletionResultType]::ParameterName, 'Etiquetas de cada produto')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Substitui um PDF que já existe')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;label;test' {
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Máscara em lugar das de `serve --label`, para experimentar; pode repetir-se')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão) ou json')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;import' {
            [CompletionResult]::new('--column', '--column', [CompletionResultType]::ParameterName, 'Lê este campo da coluna com este cabeçalho, como nome=Descrição; `-` em lugar do cabeçalho não o lê')
            [CompletionResult]::new('--department', '--department', [CompletionResultType]::ParameterName, 'Em arquivos de balança: lê só este departamento, um número da Toledo ou um setor do SETORTXT.TXT da Filizola')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Identificador do pedido; repetido, não importa a lista outra vez')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Mostra as mudanças, sem fazê-las')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Importa também linhas que parecem erradas, sem perguntar')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Registra como contagem o estoque que a lista dá; sem isto, os produtos que já existem ficam com o seu')
            [CompletionResult]::new('--skip-bad', '--skip-bad', [CompletionResultType]::ParameterName, 'Deixa de fora as linhas com erro, e as lista')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;export' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato do arquivo. O padrão é csv, e xlsx para um ARQUIVO com esse fim')
            [CompletionResult]::new('--department', '--department', [CompletionResultType]::ParameterName, 'Em arquivos da Toledo: departamento, de 1 a 99. O padrão é 1')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'Em arquivos de balança: ascii (o padrão), sem acentos, ou windows-1252, com eles')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Substitui um arquivo que `export` escreveu antes')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;backup' {
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Banco de dados a copiar. O padrão é hortifruti.db')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Dá à cópia um nome com a data, e apaga as mais antigas, até restarem N')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Substitui uma cópia que já existe, quando a nova estiver pronta')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;restore' {
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Banco de dados a substituir. O padrão é hortifruti.db')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;verify' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;move' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;status' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Formato: text (o padrão) ou json')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--grpc', '--grpc', [CompletionResultType]::ParameterName, 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;stop' {
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'Arquivo com a porta do servidor. O padrão é server_port.txt')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;service' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Instala e inicia o serviço; repetido, troca o programa e as opções dele')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Inicia o serviço')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Para o serviço, como Ctrl-C para um servidor')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Para e remove o serviço; os dados da loja ficam')
            break
        }
        'hortifruti;service;install' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;service;start' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;service;stop' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;service;remove' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;token' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Cria um token e mostra o segredo dele, só desta vez')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Mostra o nome e o papel de cada token')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Revoga um token: quem o tem não é mais atendido')
            break
        }
        'hortifruti;token;new' {
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'O que permite: leitura (o padrão), contagem (só contar, sem ver o estoque), venda (vender e consultar) ou escrita (tudo)')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo de tokens do servidor, que recebe a linha; sem ele, a linha é só mostrada')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;token;list' {
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo de tokens do servidor')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;token;revoke' {
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo de tokens do servidor')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;tls' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Cria uma autoridade, e um certificado para o servidor assinado por ela')
            [CompletionResult]::new('client', 'client', [CompletionResultType]::ParameterValue, 'Cria o certificado de um cliente, para um servidor com --tls-client-ca')
            break
        }
        'hortifruti;tls;new' {
            [CompletionResult]::new('--folder', '--folder', [CompletionResultType]::ParameterName, 'Pasta dos arquivos, criada se não existe. O padrão é a atual')
            [CompletionResult]::new('--renew', '--renew', [CompletionResultType]::ParameterName, 'Só faz outro certificado para o servidor, com a autoridade que já está na pasta')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;tls;client' {
            [CompletionResult]::new('--folder', '--folder', [CompletionResultType]::ParameterName, 'Pasta da autoridade e dos arquivos. O padrão é a atual')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;bench' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Servidor a medir; os estoques dele mudam')
            [CompletionResult]::new('--connections', '--connections', [CompletionResultType]::ParameterName, 'Conexões de cada modo. O padrão é 16')
            [CompletionResult]::new('--pipeline', '--pipeline', [CompletionResultType]::ParameterName, 'Operações em voo em cada conexão. O padrão é 16')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'Duração da medição de cada modo. O padrão é 10')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Operações por segundo (laço aberto); sem ela, o máximo (laço fechado)')
            [CompletionResult]::new('--mix', '--mix', [CompletionResultType]::ParameterName, 'Leituras e gravações em cada cem. O padrão é read=80,write=20')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Escreve os números em JSON')
            [CompletionResult]::new('--html', '--html', [CompletionResultType]::ParameterName, 'Escreve uma página com os gráficos')
            [CompletionResult]::new('--tls-ca', '--tls-ca', [CompletionResultType]::ParameterName, 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificado deste cliente, em PEM, se o servidor pede um')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Chave privada do certificado deste cliente')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Arquivo com o token deste cliente')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Conecta por TLS; --tls-ca e --tls-cert também o pedem')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Envia o token a outra máquina também sem TLS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;man' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
        'hortifruti;help' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Mostra esta ajuda')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
